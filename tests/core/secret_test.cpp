#include "core/secret.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <new>
#include <ostream>
#include <type_traits>

using proconnect::core::Secret;

namespace {

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

constexpr std::string_view kLong = "a secret that does not fit into the small buffer of std::string";
constexpr std::string_view kShort = "short";

/// Whether the bytes of a Secret's own object still show the text. For texts in the small buffer only: longer ones lie in
/// memory that is freed by then.
bool shows(const std::array<unsigned char, sizeof(Secret)>& memory, std::string_view text) {
    return std::string_view{reinterpret_cast<const char*>(memory.data()), memory.size()}.contains(text);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(secret)

BOOST_AUTO_TEST_CASE(cannot_be_copied_nor_printed) {
    static_assert(!std::is_copy_constructible_v<Secret>);
    static_assert(!std::is_copy_assignable_v<Secret>);
    static_assert(!std::is_convertible_v<std::string, Secret>);
    static_assert(!std::is_convertible_v<Secret, std::string_view>);
    static_assert(!Printable<Secret>);
    static_assert(std::is_nothrow_move_constructible_v<Secret> && std::is_nothrow_move_assignable_v<Secret>);
}

BOOST_AUTO_TEST_CASE(reveals_what_it_was_given) {
    const Secret secret{std::string{kLong}};
    BOOST_TEST(secret.reveal() == kLong);
    BOOST_TEST(secret.size() == kLong.size());
    BOOST_TEST(!secret.empty());
    BOOST_TEST(Secret{}.empty());
}

BOOST_AUTO_TEST_CASE(moves_and_leaves_nothing_behind) {
    for (const auto text : {kShort, kLong}) {
        Secret source{std::string{text}};
        Secret target{std::move(source)};
        BOOST_TEST(target.reveal() == text);
        BOOST_TEST(source.empty());
        Secret assigned{std::string{"other"}};
        assigned = std::move(target);
        BOOST_TEST(assigned.reveal() == text);
        BOOST_TEST(target.empty());
    }
}

BOOST_AUTO_TEST_CASE(survives_a_move_to_itself) {
    Secret secret{std::string{kLong}};
    Secret& same = secret;
    secret = std::move(same);
    BOOST_TEST(secret.reveal() == kLong);
}

BOOST_AUTO_TEST_CASE(clones_only_when_asked) {
    const Secret secret{std::string{kLong}};
    const Secret copy = secret.clone();
    BOOST_TEST(copy.reveal() == kLong);
    BOOST_TEST(static_cast<const void*>(copy.reveal().data()) != static_cast<const void*>(secret.reveal().data()));
}

BOOST_AUTO_TEST_CASE(wipes_the_text_when_destroyed) {
    alignas(Secret) std::array<unsigned char, sizeof(Secret)> memory{};
    auto* const secret = new (memory.data()) Secret{std::string{kShort}};
    BOOST_TEST(shows(memory, kShort));
    secret->~Secret();
    BOOST_TEST(!shows(memory, kShort));
}

BOOST_AUTO_TEST_CASE(wipes_the_source_of_a_move) {
    alignas(Secret) std::array<unsigned char, sizeof(Secret)> memory{};
    auto* const secret = new (memory.data()) Secret{std::string{kShort}};
    const Secret target{std::move(*secret)};
    BOOST_TEST(!shows(memory, kShort));
    secret->~Secret();
}

BOOST_AUTO_TEST_CASE(wipe_overwrites_memory_and_takes_nothing) {
    std::array<char, 4> bytes{'a', 'b', 'c', 'd'};
    proconnect::core::wipe(bytes.data(), 3);
    BOOST_TEST((bytes == std::array<char, 4>{0, 0, 0, 'd'}));
    proconnect::core::wipe(nullptr, 0);
    proconnect::core::wipe(bytes.data(), 0);
    BOOST_TEST(bytes[3] == 'd');
}

BOOST_AUTO_TEST_SUITE_END()
