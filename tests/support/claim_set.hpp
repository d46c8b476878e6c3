#pragma once
// Claims as a test writes them: a JSON object whose members can be replaced and removed one at a time.
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/document.hpp"

namespace proconnect::test {

class ClaimSet {
public:
    using Member = std::pair<std::string, std::string>;  ///< name, value as JSON text

    ClaimSet(std::initializer_list<Member> members = {}) : members_(members) {}

    /// @param json  the value as JSON text, which need not be sensible
    [[nodiscard]] ClaimSet with(std::string_view name, std::string_view json) const {
        ClaimSet changed = *this;
        for (auto& member : changed.members_) {
            if (member.first == name) {
                member.second = json;
                return changed;
            }
        }
        changed.members_.emplace_back(name, json);
        return changed;
    }
    [[nodiscard]] ClaimSet with_text(std::string_view name, std::string_view value) const { return with(name, json::quoted(value)); }
    [[nodiscard]] ClaimSet without(std::string_view name) const {
        ClaimSet changed = *this;
        std::erase_if(changed.members_, [&](const Member& member) { return member.first == name; });
        return changed;
    }
    [[nodiscard]] std::string text() const {
        std::string text = "{";
        for (const auto& [name, json] : members_) {
            text += (text.size() > 1 ? "," : "") + json::quoted(name) + ":" + json;
        }
        return text + "}";
    }

private:
    std::vector<Member> members_;
};

}  // namespace proconnect::test
