-- Ardour as a real client: MIDI track -> our MIDI port, our audio port -> a recording audio track.
-- Run: ardour7-lua rig_ardour.lua SESSION_FOLDER   (needs a running JACK server and `ghostnote live --driver jack`)
local MIDI_IN, AUDIO_OUT = "ghostnote:midi_in", "ghostnote:out_1"
local folder = arg and arg[1] or "ardour-session"
AudioEngine:set_backend("JACK", "", "")
print("engine", AudioEngine:start(false))
local session = create_session(folder, "rig", 48000)
assert(session, "no session")
local one = ARDOUR.ChanCount(ARDOUR.DataType("midi"), 1)
local midi_tracks = Session:new_midi_track(one, one, true, ARDOUR.PluginInfo(), nil, nil, 1, "drums", -1, ARDOUR.TrackMode.Normal, true, false)
local audio_tracks = Session:new_audio_track(1, 2, nil, 1, "return", -1, ARDOUR.TrackMode.Normal, true)
sleep(1)
local midi, audio
for t in midi_tracks:iter() do midi = t end
for t in audio_tracks:iter() do audio = t end
midi:monitoring_control():set_value(1, PBD.GroupControlDisposition.NoGroup)
audio:rec_enable_control():set_value(1, PBD.GroupControlDisposition.NoGroup)
audio:input():audio(0):disconnect_all()
print("audio connected", audio:input():audio(0):connect(AUDIO_OUT))
print("midi connected", midi:output():midi(0):connect(MIDI_IN))
Session:maybe_enable_record(false)
Session:request_roll(ARDOUR.TransportRequestSource.TRS_UI)
sleep(1)
local parser = ARDOUR.RawMidiParser()
for _ = 1, 5 do
  print("note at", Session:transport_sample())
  for _, byte in ipairs({0x90, 38, 100}) do
    if parser:process_byte(byte) then
      midi:write_immediate_event(Evoral.EventType.MIDI_EVENT, parser:buffer_size(), parser:midi_buffer())
    end
  end
  sleep(1)
end
sleep(1)
Session:request_stop(false, false, ARDOUR.TransportRequestSource.TRS_UI)
sleep(1)
Session:save_state("")
close_session()
quit()
