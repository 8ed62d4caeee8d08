// A plugin's view of the memory that the daemon fills: which slots it uses, and how it takes strokes.
#pragma once

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "memory.hpp"

namespace ghostnote {

constexpr uint32_t kRecent = 4;

// The memory of one kit. The audio thread owns it from when it gets it until it sets `isDone`.
class Shared {
public:
    Shared(void* memory, int asking, int answering, uint64_t wish)
        : memory(static_cast<Memory*>(memory)), asking(asking), answering(answering), wish(wish) {}

    ~Shared() {
        munmap(memory, kBytes);
        close(asking);
        close(answering);
    }

    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    const float* samples(uint32_t slot, uint32_t side) const {
        const Slot& entry = memory->slots[slot];
        const float* first = reinterpret_cast<const float*>(reinterpret_cast<const char*>(memory) + entry.offset);
        return entry.channels == 2 && side == 1 ? first + entry.frames : first;
    }

    // Whether a slot lies inside the memory, whatever the other process wrote.
    bool isSound(uint32_t slot) const {
        if (slot >= kMaxSlots) return false;
        const Slot& entry = memory->slots[slot];
        const uint64_t size = uint64_t(entry.frames) * entry.channels * sizeof(float);
        return entry.channels - 1 < 2 && entry.offset >= kDataOffset && entry.offset < kBytes && size <= kBytes - entry.offset;
    }

    void hold(uint32_t slot) { ++uses[slot]; }

    void release(uint32_t slot) {
        if (--uses[slot] == 0) memory->slots[slot].freed.store(1, std::memory_order_release);
    }

    // Takes a stroke for a note, from the nearest layer that has one; kNoSlot while there is none at all.
    uint32_t take(uint32_t pad, int velocity, Origin& origin) {
        const int layer = layerOf(velocity);
        int order[kLayers];
        for (uint32_t i = 0; i < kLayers; ++i) order[i] = i;
        std::stable_sort(order, order + kLayers, [&](int a, int b) { return std::abs(a - layer) < std::abs(b - layer); });
        uint32_t slot = kNoSlot;
        for (uint32_t i = 0; i < kLayers && slot == kNoSlot; ++i) {
            if (i == 3 && (slot = pop(memory->pads[pad].queues[kFallback])) != kNoSlot) {
                origin = kFallenBack;
                break;
            }
            origin = kFresh;
            slot = pop(memory->pads[pad].queues[order[i]]);
        }
        if (slot != kNoSlot) return remember(pad, slot);
        Recent& last = recent[pad];
        origin = last.count ? kReused : kSilent;
        return last.count ? last.slots[last.turn++ % last.count] : kNoSlot;
    }

    // Notes that the daemon counts, and learns from what is asked for; what it has no time to read is lost.
    void note(uint32_t pad, int velocity, Origin origin) {
        const uint32_t written = memory->notesWritten.load(std::memory_order_relaxed);
        if (written - memory->notesRead.load(std::memory_order_acquire) >= kMaxNotes) return;
        memory->notes[written % kMaxNotes] = pad | uint32_t(velocity) << 8 | uint32_t(origin) << 16;
        memory->notesWritten.store(written + 1, std::memory_order_release);
    }

    Memory* const memory;
    const int asking, answering;
    const uint64_t wish;  // what it was made for
    std::atomic<bool> isDone{false};

private:
    struct Recent {
        uint32_t slots[kRecent], count = 0, next = 0, turn = 0;
    };

    static int layerOf(int velocity) {
        return int(std::min_element(kLayerVelocities, kLayerVelocities + kLayers,
                                    [&](int a, int b) { return std::abs(a - velocity) < std::abs(b - velocity); }) -
                   kLayerVelocities);
    }

    uint32_t pop(Queue& queue) {
        const uint32_t written = queue.written.load(std::memory_order_acquire);
        uint32_t read = queue.read.load(std::memory_order_relaxed), slot = kNoSlot;
        while (slot == kNoSlot && read != written) {
            slot = queue.slots[read % kQueueLength];
            const uint32_t generation = queue.generations[read % kQueueLength];
            queue.read.store(++read, std::memory_order_release);
            if (!isSound(slot)) {
                slot = kNoSlot;
            } else if (int32_t(generation - queue.floor.load(std::memory_order_acquire)) < 0) {
                // Of settings before these.
                memory->slots[slot].freed.store(1, std::memory_order_release);
                slot = kNoSlot;
            }
        }
        return slot;
    }

    // Keeps the last strokes of a pad, to be played again when nothing else is left.
    uint32_t remember(uint32_t pad, uint32_t slot) {
        Recent& last = recent[pad];
        if (last.count == kRecent) release(last.slots[last.next]);
        last.slots[last.next] = slot;
        last.next = (last.next + 1) % kRecent;
        last.count = std::min(last.count + 1, kRecent);
        hold(slot);
        return slot;
    }

    uint16_t uses[kMaxSlots] = {};
    Recent recent[kMaxPads];
};

}  // namespace ghostnote
