// The memory that the daemon and a plugin share, field by field as in layout.py; a test compares the two.
#pragma once

#include <atomic>
#include <cstdint>

namespace ghostnote {

constexpr uint64_t kMagic = 0x65746F6E74736F68;
constexpr uint32_t kLayout = 1;
constexpr uint32_t kMaxPads = 128, kKnobPads = 16, kOutputs = 16, kLayers = 6, kFallback = kLayers;
constexpr uint32_t kQueueLength = 64, kMaxSlots = 2048, kMaxNotes = 4096, kMaxAsks = 256;
constexpr uint8_t kNoPad = 0xFF;
constexpr uint32_t kNoSlot = 0xFFFFFFFF;
constexpr uint32_t kOpenHat = 1, kCymbal = 2, kHat = 4;
constexpr uint64_t kDataOffset = 1 << 20, kBytes = 1 << 28;
constexpr int kLayerVelocities[kLayers] = {16, 40, 64, 84, 104, 122};

enum Origin : uint32_t { kFresh, kFallenBack, kReused, kSilent, kMissed };
enum AskState : uint32_t { kEmpty, kAsked, kAnswered, kRefused };

using Word = std::atomic<uint32_t>;
static_assert(Word::is_always_lock_free, "the memory is shared with another process");

struct Queue {
    Word written, read, floor;
    uint32_t unused, slots[kQueueLength], generations[kQueueLength];
};

struct Slot {
    uint64_t offset;
    uint32_t frames, channels, velocity;
    Word freed;
};

struct Ask {
    uint32_t pad, index, velocity, slot;
    float knobs[4];
    Word state;
    uint32_t unused;
};

struct Pad {
    char name[96];
    double gainDb, pan;
    uint64_t chokes[2];
    uint32_t kind, closed, output, unused;
    Queue queues[kLayers + 1];
};

struct Memory {
    std::atomic<uint64_t> magic;
    uint32_t layout, rate, padCount;
    Word ready;
    uint8_t padOfNote[128];
    Word knobsVersion, offline;
    float knobs[kKnobPads][4];
    Word notesWritten, notesRead;
    uint32_t notes[kMaxNotes];
    Word asksWritten, asksRead;
    Ask asks[kMaxAsks];
    Slot slots[kMaxSlots];
    Pad pads[kMaxPads];
};
static_assert(sizeof(Memory) < kDataOffset, "the strokes begin behind the fields");

}  // namespace ghostnote
