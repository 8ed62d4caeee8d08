// Turns MIDI into strokes and fades, as bridge/render/performer.py does, and plays them.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstring>

#include "mixer.hpp"

namespace ghostnote {

constexpr uint32_t kMostEvents = 512, kAhead = 128, kKnobs = 7;
constexpr double kPatienceSeconds = 20, kInstantSeconds = 0.004, kReplaceSeconds = 0.002;
constexpr int kPedal = 4, kAllSoundOff = 120, kPedalClosed = 100, kAnyChannel = -1;

enum Knob { kGain, kPan, kTune, kDecay, kAmount, kWidth, kMute };

struct Event {
    uint32_t frame;
    uint8_t data[3];
    int channel;
    bool isReplacing;
};

using Knobs = std::atomic<float>[kKnobPads][kKnobs];

// What connects the player to the daemon: new memory, or that none will come.
class Source {
public:
    virtual ~Source() = default;
    virtual Shared* fresh() = 0;
    virtual bool isRefused() const = 0;
    virtual bool isWished(const Shared& memory) const = 0;
};

class Player {
public:
    Player(Source& source, const Knobs& knobs) : source(source), knobs(knobs) {}

    ~Player() { mixer.silence(); }

    // Whether there is memory with strokes at the host's rate.
    bool hasMemory() const { return current && current->memory->rate == rate; }

    void setRate(uint32_t rate) {
        this->rate = rate;
        mixer.setRate(rate);
    }

    // Begins anew: in silence, with every pad's first stroke.
    void reset() {
        mixer.silence();
        std::memset(strokes, 0, sizeof strokes);
        std::memset(isClosed, 0, sizeof isClosed);
        std::fill(instants, instants + kMaxPads, Instant{});
        hasGivenUp = false;
    }

    // Plays events in the order of their frames; `outputs` are silent before. A bounce waits for each stroke.
    void play(float** outputs, uint32_t outputCount, uint32_t frames, Event* events, uint32_t count, bool isBounce) {
        this->outputCount = outputCount;
        adopt();
        if (isBounce && count) waitForMemory();
        if (hasMemory()) {
            passKnobs(isBounce);
            merge(events, count);
            perform(events, count);
        }
        posted = 0;
        uint32_t at = 0;
        for (uint32_t i = 0; i < actionCount; ++i) {
            mixer.render(outputs, at, actions[i].frame);
            at = actions[i].frame;
            if (actions[i].isStroke)
                begin(i, isBounce);
            else
                mixer.fade(actions[i].pads, actions[i].channel, actions[i].seconds, actions[i].younger);
        }
        actionCount = 0;
        mixer.render(outputs, at, frames);
        clock += frames;
        leave();
    }

private:
    // A drum's last stroke: when it was first struck, which event of this block that was, and how hard.
    struct Instant {
        int64_t first = 0;
        int place = -1;
        uint8_t velocity = 0;
    };

    struct Action {
        uint32_t frame;
        bool isStroke;
        int channel;
        uint64_t pads[2];
        uint32_t pad, index;
        int velocity;
        double seconds, younger;  // how long a fade is, and what it spares
        uint32_t place;           // among the asks
    };

    // ---- notes

    void perform(Event* events, uint32_t count) {
        for (uint32_t i = 0; i < count; ++i) {
            const Event& event = events[i];
            const int kind = event.data[0] & 0xF0;
            if (kind == 0x90 && event.data[2])
                note(event);
            else if (kind == 0xB0 && event.data[1] == kPedal)
                pedal(event);
            else if (kind == 0xB0 && event.data[1] == kAllSoundOff)
                fade(event, Mixer::kAll, event.channel);
            else if (kind == 0xA0 && event.data[2])
                fade(event, kinds(kCymbal, current->memory->padOfNote[event.data[1] & 127]).mask, event.channel);
            else if (kind == 0xD0 && event.data[1])
                fade(event, kinds(kCymbal).mask, event.channel);
        }
    }

    // Notes of a drum within 4 ms are one stroke, the loudest, as bridge/render/instants.py says.
    void merge(Event* events, uint32_t count) {
        const Memory& memory = *current->memory;
        const int64_t longest = std::lrint(kInstantSeconds * rate);
        for (Instant& instant : instants) instant.place = -1;
        for (uint32_t i = 0; i < count; ++i) {
            uint8_t* data = events[i].data;
            const uint8_t pad = memory.padOfNote[data[1] & 127];
            if ((data[0] & 0xF0) != 0x90 || !data[2] || pad >= memory.padCount) continue;
            Instant& last = instants[pad];
            const int64_t at = clock + events[i].frame;
            if (!last.velocity || at < last.first || at > last.first + longest) {
                last = {at, int(i), data[2]};
                continue;
            }
            const uint8_t velocity = data[2];
            data[2] = 0;
            if (velocity <= last.velocity) continue;
            last.velocity = velocity;
            if (last.place < 0) {
                // The first of them sounds already: this one takes its place.
                last.place = int(i);
                events[i].isReplacing = true;
            }
            events[last.place].data[2] = velocity;
        }
    }

    void note(const Event& event) {
        const Memory& memory = *current->memory;
        const uint8_t pad = memory.padOfNote[event.data[1] & 127];
        if (pad >= memory.padCount) return;
        uint32_t struck = pad;
        if (isClosed[closedIndex(event.channel)] || isClosed[16]) struck = std::min(memory.pads[pad].closed, kMaxPads - 1);
        if (event.isReplacing) {
            uint64_t own[2] = {};
            own[struck / 64] = 1ull << struck % 64;
            if (Action* action = fade(event, own, kAnyChannel)) {
                action->seconds = kReplaceSeconds;
                action->younger = kInstantSeconds;
            }
        }
        fade(event, memory.pads[struck].chokes, kAnyChannel);
        if (Action* action = add(event, true, event.channel)) {
            action->pad = struck;
            action->index = strokes[struck]++;
            action->velocity = event.data[2];
        }
    }

    void pedal(const Event& event) {
        bool& closed = isClosed[closedIndex(event.channel)];
        const bool wasClosed = closed;
        closed = event.data[2] >= kPedalClosed;
        if (closed && !wasClosed) fade(event, kinds(kOpenHat).mask, event.channel);
    }

    Action* fade(const Event& event, const uint64_t pads[2], int channel) {
        Action* action = pads[0] | pads[1] ? add(event, false, channel) : nullptr;
        if (action) std::copy(pads, pads + 2, action->pads);
        return action;
    }

    Action* add(const Event& event, bool isStroke, int channel) {
        if (actionCount == kMostActions) return nullptr;
        Action& action = actions[actionCount++];
        action = {};
        action.frame = event.frame;
        action.isStroke = isStroke;
        action.channel = channel;
        action.seconds = kChokeSeconds;
        action.younger = INFINITY;
        return &action;
    }

    struct Mask {
        uint64_t mask[2];
    };

    // The pads of a kind, or only one of them.
    Mask kinds(uint32_t kind, uint32_t only = kMaxPads) const {
        Mask found = {};
        for (uint32_t pad = 0; pad < current->memory->padCount && pad < kMaxPads; ++pad)
            if (current->memory->pads[pad].kind & kind && (only == kMaxPads || only == pad))
                found.mask[pad / 64] |= 1ull << pad % 64;
        return found;
    }

    static int closedIndex(int channel) { return channel < 0 ? 16 : channel & 15; }

    // ---- sound

    float knob(uint32_t pad, Knob which) const {
        static constexpr float neutral[kKnobs] = {0, 0, 0, 1, 1, 0, 0};
        return pad < kKnobPads ? knobs[pad][which].load(std::memory_order_relaxed) : neutral[which];
    }

    void begin(uint32_t i, bool isBounce) {
        Action& action = actions[i];
        const bool isMuted = knob(action.pad, kMute) > 0.5f;
        if (isMuted) return;
        uint32_t slot = kNoSlot;
        Origin origin = kFresh;
        if (isBounce && !hasGivenUp) slot = waitFor(i);
        const bool isAsked = slot != kNoSlot;
        if (!isAsked) {
            slot = current->take(action.pad, action.velocity, origin);
            current->note(action.pad, action.velocity, isBounce && slot != kNoSlot ? kMissed : origin);
        }
        if (slot == kNoSlot) return;
        const Pad& pad = current->memory->pads[action.pad];
        const double angle = (std::clamp(pad.pan + knob(action.pad, kPan), -1.0, 1.0) + 1) * M_PI / 4;
        const double level = std::pow(10, (pad.gainDb + knob(action.pad, kGain)) / 20) * M_SQRT2;
        const float struck = float(gainOf(action.velocity) / gainOf(current->memory->slots[slot].velocity));
        const float gains[2] = {float(level * std::cos(angle)) * struck, float(level * std::sin(angle)) * struck};
        mixer.start(*current, slot, action.pad, outputCount > 1 ? std::min(pad.output, outputCount - 1) : 0, gains,
                    action.channel);
    }

    static double gainOf(int velocity) {
        const double share = std::max(velocity, 1) / 127.0;
        return share * share;
    }

    // Tells the daemon what was turned, and fades what was muted.
    void passKnobs(bool isBounce) {
        Memory& memory = *current->memory;
        memory.offline.store(isBounce, std::memory_order_relaxed);
        bool isTurned = false;
        for (uint32_t pad = 0; pad < kKnobPads; ++pad)
            for (int each = 0; each < 4; ++each)
                if (const float value = knob(pad, Knob(kTune + each)); memory.knobs[pad][each] != value) {
                    memory.knobs[pad][each] = value;
                    isTurned = true;
                }
        if (isTurned) memory.knobsVersion.fetch_add(1, std::memory_order_release);
        uint64_t muted[2] = {};
        for (uint32_t pad = 0; pad < kKnobPads; ++pad)
            if (knob(pad, kMute) > 0.5f) muted[0] |= 1ull << pad;
        if (muted[0] & ~wasMuted) mixer.fade(muted, kAnyChannel);
        wasMuted = muted[0];
    }

    // ---- a bounce

    // Returns the slot of a stroke that was asked for; kNoSlot where there is none in time.
    uint32_t waitFor(uint32_t i) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(kPatienceSeconds);
        while (std::chrono::steady_clock::now() < end && !source.isRefused()) {
            post(i);
            Ask& ask = current->memory->asks[actions[i].place];
            const uint32_t state = ask.state.load(std::memory_order_acquire);
            if (state == kRefused) return kNoSlot;
            if (state == kAnswered) {
                ask.state.store(kEmpty, std::memory_order_relaxed);
                return current->isSound(ask.slot) ? ask.slot : kNoSlot;
            }
            pause(current->answering);
            // A daemon that was started anew has other memory, where everything is asked for again.
            if (adopt()) posted = 0;
        }
        hasGivenUp = true;
        return kNoSlot;
    }

    // Asks for the strokes of this block up to some way ahead.
    void post(uint32_t i) {
        bool isAny = false;
        for (posted = std::max(posted, i); posted < actionCount && posted < i + kAhead; ++posted) {
            Action& action = actions[posted];
            if (!action.isStroke || knob(action.pad, kMute) > 0.5f) continue;
            Memory& memory = *current->memory;
            const uint32_t written = memory.asksWritten.load(std::memory_order_relaxed);
            action.place = written % kMaxAsks;
            Ask& ask = memory.asks[action.place];
            // What came after the wait had ended is not used any more.
            if (ask.state.load(std::memory_order_acquire) == kAnswered && current->isSound(ask.slot))
                memory.slots[ask.slot].freed.store(1, std::memory_order_release);
            ask.pad = action.pad;
            ask.index = action.index;
            ask.velocity = action.velocity;
            for (int each = 0; each < 4; ++each) ask.knobs[each] = knob(action.pad, Knob(kTune + each));
            ask.state.store(kAsked, std::memory_order_release);
            memory.asksWritten.store(written + 1, std::memory_order_release);
            isAny = true;
        }
        if (isAny) eventfd_write(current->asking, 1);
    }

    void waitForMemory() {
        const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(kPatienceSeconds);
        while (!(current && source.isWished(*current)) && !hasGivenUp && !source.isRefused()) {
            pause(-1);
            adopt();
            hasGivenUp = std::chrono::steady_clock::now() >= end;
        }
    }

    static void pause(int event) {
        pollfd line = {event, POLLIN, 0};
        eventfd_t count;
        if (poll(&line, 1, event < 0 ? 5 : 50) > 0) eventfd_read(event, &count);
    }

    // ---- memory

    bool adopt() {
        Shared* next = source.fresh();
        if (!next) return false;
        if (current) {
            if (!isSame(*current->memory, *next->memory)) mixer.fade(Mixer::kAll, kAnyChannel);
            // More kits in one fade than there are places: the oldest stops.
            if (leavingCount == kMostLeaving) mixer.silence(), leave();
            leaving[leavingCount++] = current;
        }
        current = next;
        hasGivenUp = false;
        return true;
    }

    static bool isSame(const Memory& one, const Memory& other) {
        if (one.padCount != other.padCount) return false;
        for (uint32_t pad = 0; pad < one.padCount && pad < kMaxPads; ++pad)
            if (std::memcmp(one.pads[pad].name, other.pads[pad].name, sizeof one.pads[pad].name)) return false;
        return true;
    }

    // Lets go of memory that no voice plays from any more.
    void leave() {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < leavingCount; ++i) {
            if (mixer.uses(leaving[i]))
                leaving[kept++] = leaving[i];
            else
                leaving[i]->isDone.store(true, std::memory_order_release);
        }
        leavingCount = kept;
    }

    static constexpr uint32_t kMostActions = 3 * kMostEvents, kMostLeaving = 8;

    Source& source;
    const Knobs& knobs;
    Mixer mixer;
    Shared* current = nullptr;
    Shared* leaving[kMostLeaving];
    uint32_t rate = 0, leavingCount = 0, outputCount = 1, posted = 0, actionCount = 0;
    Action actions[kMostActions];
    uint32_t strokes[kMaxPads] = {};
    Instant instants[kMaxPads];
    int64_t clock = 0;
    bool isClosed[17] = {};  // each channel's pedal, and one for controllers whose channel is not known
    uint64_t wasMuted = 0;
    bool hasGivenUp = false;
};

}  // namespace ghostnote
