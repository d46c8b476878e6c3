// AttributeBlock: a decrypted attribute block as another version of the encoder, or a bug, might have left it.
#include <cstring>
#include <memory>

#include "fuzz/fuzz.hpp"
#include "session/session.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;
using session::AttributeBlock;

void check_item(const AttributeBlock::Item& item) {
    require(std::strlen(item.variable) <= item.variable_view.size() && std::strlen(item.value) <= item.value_view.size(), "name and value end with NUL");
    require(item.variable_view.size() >= 11 && item.claim().size() <= item.variable_view.size(), "a variable has its prefix");
    std::size_t elements = 0;
    std::size_t bytes = 0;
    const bool stopped = session::any_list_element(item.value_view, [&](std::string_view element) {
        ++elements;
        bytes += element.size();
        return false;
    });
    require(!stopped && elements <= item.value_view.size() + 1 && bytes <= item.value_view.size(), "the elements of a list are in it");
    require(session::split_list(item.value_view).size() == elements, "both ways through a list see the same elements");
}

Verdict judge(std::string_view input) {
    const auto block = AttributeBlock::parse({reinterpret_cast<const std::uint8_t*>(input.data()), input.size()});
    if (!block) {
        return Verdict::refused;
    }
    require(input.size() <= session::SessionStore::kMaxPartBytes, "a block is bounded");
    std::size_t items = 0;
    block->for_each([&](const AttributeBlock::Item& item) {
        ++items;
        check_item(item);
        const auto found = block->find(item.variable_view);
        require(found && found->variable_view == item.variable_view && found->variable <= item.variable, "find() finds the first of a name");
    });
    require(items == block->size(), "each item is met once");
    require(!block->find("PROCONNECT_") || items != 0, "an empty block has nothing");
    // Exactly as much memory as it asks for: a sanitizer sees one byte more.
    const auto out = std::make_unique<char[]>(block->claims_json_bytes());
    block->write_claims_json({out.get(), block->claims_json_bytes()});
    return Verdict::accepted;
}

const Registration kTarget{"attributes", judge};

}  // namespace
