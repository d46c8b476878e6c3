// Looks at the session table of a running httpd from outside: validates it under its locks and prints what it counts.
//
//   check_table PARENT_PID        (as root)
//
// Prints "live N evicted N repaired N expired N"; exits with 1 when a table is out of order, with 2 when there is none.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "session/shm_store.hpp"

using namespace proconnect;

namespace {

constexpr std::size_t kAprHeaderBytes = 8;  ///< APR keeps a segment's size in front of it

/// The memory behind one line of /proc/PID/maps when it is anonymous and shared, mapped here as well.
std::span<std::byte> map_here(const std::string& pid, const std::string& line) {
    if (line.find(" rw-s ") == std::string::npos || line.find("/dev/zero") == std::string::npos) {
        return {};
    }
    const std::string range = line.substr(0, line.find(' '));
    const auto begin = std::stoull(range, nullptr, 16);
    const auto bytes = std::stoull(range.substr(range.find('-') + 1), nullptr, 16) - begin;
    const int file = ::open(("/proc/" + pid + "/map_files/" + range).c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) {
        std::perror("map_files");
        return {};
    }
    void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    return memory == MAP_FAILED ? std::span<std::byte>{} : std::span{static_cast<std::byte*>(memory), bytes}.subspan(kAprHeaderBytes);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string pid = argc == 2 ? argv[1] : "";
    std::ifstream maps{"/proc/" + pid + "/maps"};
    int tables = 0;
    for (std::string line; std::getline(maps, line);) {
        auto store = session::ShmStore::open(map_here(pid, line));
        if (!store) {
            continue;
        }
        const auto problem = store->validate();
        if (!problem || *problem) {
            std::printf("out of order: %s\n", problem ? (*problem)->c_str() : problem.error().detail.c_str());
            return 1;
        }
        const auto counted = store->statistics();
        if (!counted) {
            std::printf("%s\n", counted.error().detail.c_str());
            return 1;
        }
        std::printf("live %llu evicted %llu repaired %llu expired %llu\n", static_cast<unsigned long long>(counted->live),
                    static_cast<unsigned long long>(counted->evicted), static_cast<unsigned long long>(counted->repaired),
                    static_cast<unsigned long long>(counted->expired));
        ++tables;
    }
    return tables == 0 ? 2 : 0;
}
