// The plugin as DPF wants it: parameters, state and MIDI in, audio out.
#include "DistrhoPlugin.hpp"
#include "link.hpp"

START_NAMESPACE_DISTRHO

using namespace ghostnote;

class GhostnotePlugin : public Plugin {
    enum Parameters { kKit, kSeed, kBounce, kStatus, kFirstKnob, kCount = kFirstKnob + kKnobPads * kKnobs };
#ifdef DISTRHO_PLUGIN_TARGET_LV2
    static constexpr uint32_t kFreewheel = kCount, kParameters = kCount + 1;
#else
    static constexpr uint32_t kParameters = kCount;
#endif

public:
    GhostnotePlugin() : Plugin(kParameters, 0, 1), player(link, knobs) {
        for (uint32_t i = kFirstKnob; i < kCount; ++i) knob(i) = kKnobTable[(i - kFirstKnob) % kKnobs].neutral;
        sampleRateChanged(getSampleRate());
        // DPF itself opens one that only says what the plugin is.
        if (!isDummyInstance()) link.start();
    }

    // Whether the host renders faster, or slower, than time passes.
    void setOffline(bool offline) { isOffline = offline; }

protected:
    const char* getLabel() const override { return "ghostnote"; }
    const char* getDescription() const override { return "A drum instrument that never plays the same hit twice."; }
    const char* getMaker() const override { return "The ghostnote authors"; }
    const char* getLicense() const override { return "GPL-3.0-or-later"; }
    uint32_t getVersion() const override { return d_version(0, 1, 0); }
    int64_t getUniqueId() const override { return d_cconst('g', 'h', 'o', GHOSTNOTE_OUTPUTS > 1 ? 'm' : 's'); }

    void initAudioPort(bool input, uint32_t index, AudioPort& port) override {
        Plugin::initAudioPort(input, index, port);
        const String number(index / 2 + 1);
        port.groupId = GHOSTNOTE_OUTPUTS > 1 ? index / 2 : kPortGroupStereo;
        port.name = String("Out ") + number + (index % 2 ? " right" : " left");
        port.symbol = String("out_") + number + (index % 2 ? "_right" : "_left");
    }

    void initPortGroup(uint32_t group, PortGroup& portGroup) override {
        portGroup.name = String("Out ") + String(group + 1);
        portGroup.symbol = String("out_") + String(group + 1);
    }

    void initParameter(uint32_t index, Parameter& parameter) override {
        static const struct {
            const char *name, *symbol;
            float min, max;
            uint32_t hints;
        } own[] = {{"Kit", "kit", 0, 127, kParameterIsAutomatable | kParameterIsInteger},
                   {"Seed", "seed", 0, 65535, kParameterIsAutomatable | kParameterIsInteger},
                   {"Bounce", "bounce", 0, 2, kParameterIsInteger},
                   {"Status", "status", 0, 3, kParameterIsInteger | kParameterIsOutput}};
        if (index < kFirstKnob) {
            parameter.hints = own[index].hints;
            parameter.name = own[index].name;
            parameter.symbol = own[index].symbol;
            parameter.ranges = ParameterRanges(0, own[index].min, own[index].max);
            if (index == kBounce) setLabels(parameter, {"as the host says", "always wait", "never wait"});
            if (index == kStatus)
                setLabels(parameter, {"starting", "playing", "playing on without the daemon", "not playing: see the log"});
        } else if (index < kCount) {
            const KnobRow& row = kKnobTable[(index - kFirstKnob) % kKnobs];
            const String number((index - kFirstKnob) / kKnobs + 1);
            parameter.hints = kParameterIsAutomatable | row.hints;
            parameter.name = String("Pad ") + number + " " + row.name;
            parameter.symbol = String("pad_") + number + "_" + row.symbol;
            parameter.unit = row.unit;
            parameter.ranges = ParameterRanges(row.neutral, row.min, row.max);
        } else {
            // The host's own line to an LV2 plugin; the bundle's text marks it as such.
            parameter.hints = kParameterIsBoolean;
            parameter.name = "Freewheel";
            parameter.symbol = "freewheel";
            parameter.ranges = ParameterRanges(0, 0, 1);
        }
    }

    float getParameterValue(uint32_t index) const override {
        switch (index) {
            case kKit: return float(link.number);
            case kSeed: return float(link.seed);
            case kBounce: return bounce;
            case kStatus: return float(link.status);
        }
        return index < kCount ? const_cast<GhostnotePlugin*>(this)->knob(index).load() : float(isOffline);
    }

    void setParameterValue(uint32_t index, float value) override {
        switch (index) {
            case kKit: link.number = uint32_t(value + 0.5f); return;
            case kSeed: link.seed = uint32_t(value + 0.5f); return;
            case kBounce: bounce = std::round(value); return;
            case kStatus: return;
        }
        if (index >= kCount)
            setOffline(value > 0.5f);
        else
            knob(index) = value;
    }

    void initState(uint32_t, State& state) override {
        state.key = "kit";
        state.label = "Kit";
        state.hints = kStateIsOnlyForDSP;
    }

    String getState(const char*) const override {
        return String(const_cast<GhostnotePlugin*>(this)->link.saved().c_str());
    }

    void setState(const char*, const char* value) override {
        if (*value) link.restore(value);
    }

    void sampleRateChanged(double rate) override {
        link.rate = uint32_t(std::lrint(rate));
        player.setRate(link.rate);
    }

    void activate() override { player.reset(); }

    void run(const float**, float** outputs, uint32_t frames, const MidiEvent* midi, uint32_t count) override {
        for (uint32_t i = 0; i < DISTRHO_PLUGIN_NUM_OUTPUTS; ++i) std::memset(outputs[i], 0, sizeof(float) * frames);
        const bool isBounce = bounce > 0.5f ? bounce < 1.5f : isOffline;
        // Each bounce begins with every pad's first stroke.
        if (isBounce && !wasBounce) player.reset();
        wasBounce = isBounce;
        link.isWanted = isBounce || !player.hasMemory();
        player.play(outputs, GHOSTNOTE_OUTPUTS, frames, events, sorted(midi, count, frames), isBounce);
    }

private:
    struct KnobRow {
        const char *name, *symbol, *unit;
        float neutral, min, max;
        uint32_t hints;
    };

    static constexpr KnobRow kKnobTable[kKnobs] = {
        {"Gain", "gain", "dB", 0, -60, 24, 0}, {"Pan", "pan", "", 0, -1, 1, 0},
        {"Tune", "tune", "st", 0, -24, 24, 0}, {"Decay", "decay", "", 1, 0.05f, 4, 0},
        {"Amount", "amount", "", 1, 0, 2, 0},  {"Width", "width", "", 0, 0, 1, 0},
        {"Mute", "mute", "", 0, 0, 1, kParameterIsBoolean}};

    static void setLabels(Parameter& parameter, std::initializer_list<const char*> labels) {
        parameter.enumValues.count = uint8_t(labels.size());
        parameter.enumValues.restrictedMode = true;
        parameter.enumValues.values = new ParameterEnumerationValue[labels.size()];
        uint8_t i = 0;
        for (const char* label : labels) {
            parameter.enumValues.values[i].label = label;
            parameter.enumValues.values[i].value = i;
            ++i;
        }
    }

    std::atomic<float>& knob(uint32_t index) {
        return knobs[(index - kFirstKnob) / kKnobs][(index - kFirstKnob) % kKnobs];
    }

    // Notes come in order; controllers of a VST3 host come as parameters behind them, for all channels.
    uint32_t sorted(const MidiEvent* midi, uint32_t count, uint32_t frames) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < count && n < kMostEvents; ++i) {
            if (midi[i].size < 2 || midi[i].size > 3) continue;
            Event event = {std::min(midi[i].frame, frames ? frames - 1 : 0), {}, midi[i].data[0] & 15, false};
            std::memcpy(event.data, midi[i].data, midi[i].size);
            bool isBefore = false;
#ifdef DISTRHO_PLUGIN_TARGET_VST3
            isBefore = (event.data[0] & 0xF0) == 0xB0 || (event.data[0] & 0xF0) == 0xD0;
            if (isBefore) event.channel = kAnyChannel;
#endif
            uint32_t at = n++;
            for (; at && (events[at - 1].frame > event.frame || (isBefore && events[at - 1].frame == event.frame)); --at)
                events[at] = events[at - 1];
            events[at] = event;
        }
        return n;
    }

    Link link;
    std::atomic<float> knobs[kKnobPads][kKnobs];
    Player player;
    Event events[kMostEvents];
    std::atomic<float> bounce{0};
    bool isOffline = false, wasBounce = false;

    DISTRHO_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(GhostnotePlugin)
};

constexpr GhostnotePlugin::KnobRow GhostnotePlugin::kKnobTable[kKnobs];

Plugin* createPlugin() { return new GhostnotePlugin; }

END_NAMESPACE_DISTRHO

// What DPF does not pass on; the build puts calls of this into its VST3 and CLAP parts.
void ghostnoteSetOffline(void* plugin, bool offline) {
    static_cast<DISTRHO_NAMESPACE::GhostnotePlugin*>(static_cast<DISTRHO_NAMESPACE::Plugin*>(plugin))->setOffline(offline);
}
