// The entry that libFuzzer calls, for an executable with one target.
#include <cstddef>
#include <cstdint>

#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const proconnect::fuzz::Target target = proconnect::fuzz::targets().at(0);
    target.judge({reinterpret_cast<const char*>(data), size});
    return 0;
}
