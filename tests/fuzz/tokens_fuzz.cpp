// decode_tokens() of a decrypted block, and encode_tokens() of any three texts, here the parts of the input.
#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "session/session.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;
using session::SessionTokens;

bool same(const SessionTokens& a, const SessionTokens& b) {
    return a.id_token.reveal() == b.id_token.reveal() && a.access_token.reveal() == b.access_token.reveal() &&
           a.refresh_token.reveal() == b.refresh_token.reveal() && a.access_token_expires == b.access_token_expires;
}

std::optional<SessionTokens> decode(std::string_view block) {
    return session::decode_tokens({reinterpret_cast<const std::uint8_t*>(block.data()), block.size()});
}

void check_round_trip(const SessionTokens& tokens) {
    const auto block = session::encode_tokens(tokens);
    const auto decoded = decode(block.reveal());
    require(decoded && same(*decoded, tokens), "tokens come back byte for byte");
    require(block.size() <= tokens.id_token.size() + tokens.access_token.size() + tokens.refresh_token.size() + 64, "a block is no longer than its tokens");
    require(!decode(block.reveal().substr(0, block.size() - 1)), "a block that was cut is refused");
}

Verdict judge(std::string_view input) {
    const auto parts = split_parts(input, 3);
    SessionTokens texts;
    texts.id_token = core::Secret{std::string{parts[0]}};
    texts.access_token = core::Secret{std::string{parts[1]}};
    texts.refresh_token = core::Secret{std::string{parts[2]}};
    texts.access_token_expires = kNow;
    check_round_trip(texts);

    const auto tokens = decode(input);
    if (!tokens) {
        return Verdict::refused;
    }
    check_round_trip(*tokens);
    return Verdict::accepted;
}

const Registration kTarget{"tokens", judge};

}  // namespace
