// What DPF asks about the plugin. GHOSTNOTE_OUTPUTS, the number of stereo outputs, comes from the compiler's command.
#pragma once

#if GHOSTNOTE_OUTPUTS > 1
#define DISTRHO_PLUGIN_NAME "ghostnote multi"
#define DISTRHO_PLUGIN_URI "urn:ghostnote:multi"
#define DISTRHO_PLUGIN_CLAP_ID "ghostnote.multi"
#else
#define DISTRHO_PLUGIN_NAME "ghostnote"
#define DISTRHO_PLUGIN_URI "urn:ghostnote:stereo"
#define DISTRHO_PLUGIN_CLAP_ID "ghostnote.stereo"
#endif
#define DISTRHO_PLUGIN_NUM_INPUTS 0
#define DISTRHO_PLUGIN_NUM_OUTPUTS (2 * GHOSTNOTE_OUTPUTS)
#define DISTRHO_PLUGIN_HAS_UI 0
#define DISTRHO_PLUGIN_IS_RT_SAFE 1
#define DISTRHO_PLUGIN_IS_SYNTH 1
#define DISTRHO_PLUGIN_WANT_MIDI_INPUT 1
#define DISTRHO_PLUGIN_WANT_STATE 1
#define DISTRHO_PLUGIN_WANT_FULL_STATE 1
#define DISTRHO_PLUGIN_CLAP_FEATURES "instrument", "drum", "sampler", "stereo"
#define DISTRHO_PLUGIN_LV2_CATEGORY "lv2:InstrumentPlugin"
#define DISTRHO_PLUGIN_VST3_CATEGORIES "Instrument|Drum|Sampler"
