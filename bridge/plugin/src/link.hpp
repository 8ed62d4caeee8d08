// A plugin's line to the daemon, in a thread of its own: starts it, asks it for a kit's memory, comes back to it.
#pragma once

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "player.hpp"

extern char** environ;

namespace ghostnote {

enum Status { kStarting, kPlaying, kWithoutDaemon, kNotPlayed };

class Link : public Source {
    using Clock = std::chrono::steady_clock;

public:
    ~Link() override {
        isEnding = true;
        if (thread.joinable()) thread.join();
        closeLine();
        if (Shared* left = next.exchange(nullptr)) left->isDone = true;
        // The host has stopped: nobody plays any more.
        for (Shared* each : all) delete each;
    }

    // ---- from the audio thread

    Shared* fresh() override { return next.exchange(nullptr, std::memory_order_acquire); }
    bool isRefused() const override { return refused.load(std::memory_order_relaxed) == wish(); }
    bool isWished(const Shared& memory) const override { return memory.wish == wish(); }

    // Whether memory is wanted as it is: a bounce asks for its strokes, and silence needs no replacement that is ready.
    std::atomic<bool> isWanted{true};
    std::atomic<uint32_t> rate{0}, number{0}, seed{0};
    std::atomic<int> status{kStarting};

    // ---- from the host's main thread

    void start() {
        // Once: a host may change its environment while it runs.
        place = folder();
        arguments = command();
        thread = std::thread([this] { serve(); });
    }

    std::string saved() {
        std::lock_guard<std::mutex> lock(mutex);
        return kit;
    }

    void restore(const std::string& text) {
        std::lock_guard<std::mutex> lock(mutex);
        kit = text;
        ++restored;
    }

private:
    // What the host wants to be played, in one number.
    uint64_t wish() const {
        return uint64_t(rate.load()) << 40 | uint64_t(seed.load() & 0xFFFF) << 24 | (number.load() & 0xFF) << 16 |
               (restored.load() & 0xFFFF);
    }

    enum Kind : uint32_t { kUse = 1, kWelcome, kRefusal };

    void serve() {
        while (!isEnding) {
            if (line < 0) connectLine();
            if (line >= 0) {
                ask();
                listen();
            } else {
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
            }
            hand();
            if (child > 0 && waitpid(child, nullptr, WNOHANG) == child) child = 0;
        }
    }

    // ---- the line

    static std::string folder() {
        const char* base = getenv("XDG_RUNTIME_DIR");
        if (base && base[0] == '/') return std::string(base) + "/ghostnote";
        const char* temporary = getenv("TMPDIR");
        return std::string(temporary && temporary[0] == '/' ? temporary : "/tmp") + "/ghostnote-" + std::to_string(getuid());
    }

    static bool isOurs(const struct stat& found) { return found.st_uid == getuid() && !(found.st_mode & 077); }

    void connectLine() {
        const int handle = open(place.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat found;
        if (handle >= 0 && !fstat(handle, &found) && isOurs(found)) line = connected(handle);
        if (handle >= 0) close(handle);
        if (line >= 0) {
            sent = 0;
            return;
        }
        if (status != kWithoutDaemon && status != kNotPlayed) status = kStarting;
        if (Clock::now() >= startAt) {
            startAt = Clock::now() + std::chrono::seconds(10);
            startDaemon();
        }
    }

    static int connected(int handle) {
        const int file = openat(handle, "daemon", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (file < 0) return -1;
        char name[64] = {};
        const ssize_t length = read(file, name, sizeof name - 1);
        close(file);
        if (length <= 0) return -1;
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        // By the folder's handle: a socket's path may have a hundred letters at most.
        snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", handle, name);
        const int line = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ucred peer = {};
        socklen_t size = sizeof peer;
        const timeval patience = {5, 0};
        setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(line, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(line, reinterpret_cast<sockaddr*>(&address), sizeof address) ||
            getsockopt(line, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.uid != getuid()) {
            close(line);
            return -1;
        }
        return line;
    }

    void closeLine() {
        if (line >= 0) close(line);
        line = -1;
    }

    void loseLine() {
        closeLine();
        startAt = Clock::now();
        // Said once: a daemon that is just ending may still take a line.
        if (status != kWithoutDaemon)
            say("ghostnote: the daemon has ended; the strokes that are there play on while it is started again");
        status = kWithoutDaemon;
    }

    // Asks for another kit once the host has not changed its mind for a moment.
    void ask() {
        uint64_t now;
        std::string text;
        {
            std::lock_guard<std::mutex> lock(mutex);
            now = wish();
            // A session's kit is that of its number; another number is another kit.
            if (!kit.empty() && kit.compare(0, kit.find('\n'), std::to_string(number.load())) == 0) text = kit;
        }
        if (now != wished) {
            wished = now;
            askAt = Clock::now() + std::chrono::milliseconds(50);
        }
        const bool isAgain = refused == now && Clock::now() > askAgainAt;
        if (!rate || (now == sent && !isAgain) || Clock::now() < askAt) return;
        sent = now;
        askAgainAt = Clock::now() + std::chrono::seconds(10);
        uint32_t head[6] = {0, kUse, kLayout, uint32_t(now >> 40), uint32_t(now >> 16 & 0xFF), uint32_t(now >> 24 & 0xFFFF)};
        char version[16] = GHOSTNOTE_VERSION;
        head[0] = uint32_t(4 * sizeof(uint32_t) + sizeof version + text.size());
        std::string message(reinterpret_cast<char*>(head), sizeof head);
        message.append(version, sizeof version).append(text);
        for (size_t at = 0; at < message.size();) {
            const ssize_t done = send(line, message.data() + at, message.size() - at, MSG_NOSIGNAL);
            if (done <= 0) return loseLine();
            at += size_t(done);
        }
    }

    void listen() {
        pollfd ready = {line, POLLIN, 0};
        if (line < 0 || poll(&ready, 1, 20) <= 0) return;
        uint32_t head[2];
        int files[3] = {-1, -1, -1};
        std::string text;
        if (!receive(head, files) || head[0] > 8000000) return loseLine();
        text.resize(head[0]);
        for (size_t at = 0; at < text.size();) {
            const ssize_t done = recv(line, &text[at], text.size() - at, 0);
            if (done <= 0) return loseLine();
            at += size_t(done);
        }
        if (head[1] == kWelcome)
            welcome(text, files);
        else if (head[1] == kRefusal)
            refuse(text);
    }

    bool receive(uint32_t head[2], int files[3]) {
        iovec part = {head, 2 * sizeof(uint32_t)};
        alignas(cmsghdr) char space[CMSG_SPACE(3 * sizeof(int))];
        msghdr message = {};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = space;
        message.msg_controllen = sizeof space;
        if (recvmsg(line, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL) != ssize_t(part.iov_len)) return false;
        cmsghdr* found = CMSG_FIRSTHDR(&message);
        if (found && found->cmsg_type == SCM_RIGHTS && found->cmsg_len == CMSG_LEN(3 * sizeof(int)))
            std::memcpy(files, CMSG_DATA(found), 3 * sizeof(int));
        return true;
    }

    void welcome(const std::string& text, const int files[3]) {
        struct stat found;
        void* memory = MAP_FAILED;
        // Of the size that was agreed, and sealed: it can never become shorter under the audio thread.
        const bool isWhole = files[0] >= 0 && !fstat(files[0], &found) && uint64_t(found.st_size) == kBytes &&
                             fcntl(files[0], F_GET_SEALS) & F_SEAL_SHRINK;
        if (isWhole) memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, files[0], 0);
        if (files[0] >= 0) close(files[0]);
        if (memory == MAP_FAILED) {
            for (int i = 1; i < 3; ++i)
                if (files[i] >= 0) close(files[i]);
            return refuse("the daemon's memory cannot be used: close other programs");
        }
        dropWaiting();
        waiting = new Shared(memory, files[1], files[2], sent);
        all.push_back(waiting);
        waitingSince = Clock::now();
        if (waiting->memory->magic != kMagic || waiting->memory->layout != kLayout) {
            dropWaiting();
            return refuse("the plugin and the daemon are of different versions: run 'ghostnote plugin install'");
        }
        std::lock_guard<std::mutex> lock(mutex);
        // Unless a session was restored meanwhile.
        if ((restored & 0xFFFF) == (sent & 0xFFFF)) kit = text;
        status = kPlaying;
        refused = 0;
        refusal.clear();
    }

    void refuse(const std::string& why) {
        status = kNotPlayed;
        refused = sent ? sent : wish();
        if (why != refusal) say("ghostnote: " + why);
        refusal = why;
    }

    static void say(const std::string& text) { fprintf(stderr, "%s\n", text.c_str()); }

    // ---- memory for the audio thread

    void dropWaiting() {
        if (waiting) waiting->isDone = true;
        waiting = nullptr;
    }

    // Hands new memory over once it has a stroke for every pad, or at once where silence is the alternative.
    void hand() {
        const bool isLate = Clock::now() - waitingSince > std::chrono::seconds(10);
        if (waiting && (isWanted || isLate || waiting->memory->ready)) {
            if (Shared* missed = next.exchange(waiting, std::memory_order_acq_rel)) missed->isDone = true;
            waiting = nullptr;
        }
        all.remove_if([](Shared* each) {
            if (!each->isDone.load(std::memory_order_acquire)) return false;
            delete each;
            return true;
        });
    }

    // ---- the daemon's process

    // Returns the command that `ghostnote plugin install` wrote, an argument on each line; else what PATH has.
    static std::vector<std::string> command() {
        const char* config = getenv("XDG_CONFIG_HOME");
        const char* home = getenv("HOME");
        const std::string base = config && config[0] == '/' ? config : std::string(home ? home : "") + "/.config";
        std::ifstream file(base + "/ghostnote/plugin-daemon");
        std::vector<std::string> arguments;
        for (std::string argument; std::getline(file, argument);)
            if (!argument.empty()) arguments.push_back(argument);
        if (arguments.empty()) arguments = {"ghostnote", "plugin", "serve", "--idle", "300"};
        return arguments;
    }

    void startDaemon() {
        if (child > 0) return;
        std::vector<char*> argv, env;
        for (std::string& argument : arguments) argv.push_back(&argument[0]);
        // What a host sets for its own libraries, and its own Python, is nothing to the daemon.
        for (char** each = environ; *each; ++each)
            if (strncmp(*each, "PYTHON", 6) && strncmp(*each, "LD_", 3)) env.push_back(*each);
        argv.push_back(nullptr);
        env.push_back(nullptr);
        mkdir(place.c_str(), 0700);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
        posix_spawn_file_actions_addopen(&actions, 2, (place + "/daemon.log").c_str(), flags, 0600);
        // The host's devices and sockets must not live on in it.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3);
        posix_spawnattr_t how;
        posix_spawnattr_init(&how);
        sigset_t none, some;
        sigemptyset(&none);
        sigemptyset(&some);
        for (int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD}) sigaddset(&some, number);
        posix_spawnattr_setsigmask(&how, &none);
        posix_spawnattr_setsigdefault(&how, &some);
        // A session of its own: Ctrl-C in the host's terminal is the host's.
        posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
        const int failed = posix_spawnp(&child, argv[0], &actions, &how, argv.data(), env.data());
        if (failed) {
            child = 0;
            refuse("the daemon cannot be started (" + arguments[0] + ": " + strerror(failed) +
                   "): run 'ghostnote plugin install' where ghostnote is installed");
        }
        posix_spawnattr_destroy(&how);
        posix_spawn_file_actions_destroy(&actions);
    }

    std::mutex mutex;
    std::string kit, refusal;  // the kit as a session saves it; what was said last
    std::string place;         // the folder by which the daemon is found
    std::vector<std::string> arguments;
    std::atomic<uint32_t> restored{0};
    std::atomic<uint64_t> refused{0};
    uint64_t sent = 0, wished = 0;
    Clock::time_point startAt{}, askAt{}, askAgainAt{}, waitingSince{};
    int line = -1;
    pid_t child = 0;
    Shared* waiting = nullptr;
    std::list<Shared*> all;
    std::atomic<Shared*> next{nullptr};
    std::atomic<bool> isEnding{false};
    std::thread thread;
};

}  // namespace ghostnote
