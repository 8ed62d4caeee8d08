// Sums voices, accurate to the frame, as bridge/render/mixer.py does.
#pragma once

#include <cmath>

#include "shared.hpp"

namespace ghostnote {

constexpr uint32_t kPolyphony = 64, kMostVoices = 192;
constexpr double kChokeSeconds = 0.068, kStealSeconds = 0.005, kPeakSeconds = 0.01;

struct Voice {
    Shared* source;
    uint32_t slot;
    const float* sides[2];
    float gains[2];
    uint32_t at, end, pad, output;
    int channel;  // -1 where it is not known
    bool isStolen, isFading;
    uint32_t fadeStart, fadeFrames;
    double fadeLevel;
    uint32_t window;
    float peak;

    double level() const { return isFading ? fadeLevel * (1 - double(at - fadeStart) / fadeFrames) : 1.0; }

    // Ends within so many frames; a fade that has begun only ever gets shorter.
    void fade(uint32_t frames) {
        if (isFading && fadeStart + fadeFrames <= at + frames) return;
        fadeLevel = level();
        isFading = true;
        fadeStart = at;
        fadeFrames = frames;
        end = std::min(end, at + frames);
    }

    void addTo(float* left, float* right, uint32_t frames) {
        const uint32_t n = std::min(frames, end - at);
        for (uint32_t i = 0; i < n; ++i) {
            float gain = 1.0f;
            if (isFading) gain = float(fadeLevel * (1 - double(at + i - fadeStart) / fadeFrames));
            left[i] += sides[0][at + i] * gains[0] * gain;
            right[i] += sides[1][at + i] * gains[1] * gain;
        }
        at += n;
    }

    // The highest sample around now, measured once for each hundredth of a second.
    float peakNow(uint32_t windowFrames) {
        if (at / windowFrames == window) return peak;
        window = at / windowFrames;
        peak = 0;
        const uint32_t last = std::min((window + 2) * windowFrames, source->memory->slots[slot].frames);
        for (int side = 0; side < 2; ++side)
            for (uint32_t i = window * windowFrames; i < last; ++i)
                peak = std::max(peak, std::fabs(sides[side][i]) * gains[side]);
        return peak;
    }
};

class Mixer {
public:
    void setRate(double rate) { this->rate = rate; }

    void start(Shared& source, uint32_t slot, uint32_t pad, uint32_t output, const float gains[2], int channel) {
        if (count >= kPolyphony) stealQuietest();
        if (count == kMostVoices) end(0);
        Voice& voice = voices[count++];
        const uint32_t frames = source.memory->slots[slot].frames;
        voice = {&source, slot, {source.samples(slot, 0), source.samples(slot, 1)}, {gains[0], gains[1]}, 0, frames,
                 pad, output, channel, false, false, 0, 0, 1.0, ~0u, 0.0f};
        source.hold(slot);
    }

    // Fades the voices of the pads in a mask; of a MIDI channel, those known to be of another stay, and those that began
    // earlier than so many seconds before.
    void fade(const uint64_t pads[2], int channel, double seconds = kChokeSeconds, double younger = INFINITY) {
        for (uint32_t i = 0; i < count; ++i) {
            Voice& voice = voices[i];
            if (voice.at <= younger * rate && (pads[voice.pad / 64] >> voice.pad % 64 & 1) &&
                (channel < 0 || voice.channel < 0 || voice.channel == channel))
                voice.fade(frames(seconds));
        }
    }

    void render(float** outputs, uint32_t from, uint32_t to) {
        for (uint32_t i = 0; i < count; ++i)
            voices[i].addTo(outputs[2 * voices[i].output] + from, outputs[2 * voices[i].output + 1] + from, to - from);
        for (uint32_t i = count; i-- > 0;)
            if (voices[i].at >= voices[i].end) end(i);
    }

    void silence() {
        while (count) end(count - 1);
    }

    bool uses(const Shared* source) const {
        return std::any_of(voices, voices + count, [=](const Voice& voice) { return voice.source == source; });
    }

    static constexpr uint64_t kAll[2] = {~0ull, ~0ull};

private:
    uint32_t frames(double seconds) const { return std::max(1u, uint32_t(std::lrint(seconds * rate))); }

    void end(uint32_t i) {
        voices[i].source->release(voices[i].slot);
        // In their order, which decides what is stolen and how sums round.
        std::copy(voices + i + 1, voices + count, voices + i);
        --count;
    }

    void stealQuietest() {
        uint32_t quietest = kMostVoices, lasting = 0;
        double least = INFINITY;
        for (uint32_t i = 0; i < count; ++i) {
            Voice& voice = voices[i];
            if (voice.isStolen || voice.at >= voice.end) continue;
            ++lasting;
            const double peak = voice.peakNow(frames(kPeakSeconds)) * voice.level();
            if (peak < least) {
                quietest = i;
                least = peak;
            }
        }
        if (lasting < kPolyphony) return;
        Voice& voice = voices[quietest];
        voice.isStolen = true;
        if (voice.at == 0)
            end(quietest);
        else
            voice.fade(frames(kStealSeconds));
    }

    Voice voices[kMostVoices];
    uint32_t count = 0;
    double rate = 48000;
};

}  // namespace ghostnote
