#pragma once
#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace proconnect::page {

/// What {{name}} in a template stands for. Values are texts, escaped where they are put: between tags or inside a quoted attribute value.
/// Blocks are whole elements the module makes, between tags only; empty when the page has nothing to say there.
enum class Placeholder : std::uint8_t {
    none,
    lang, title, service,                                                                          // values
    style, notice, text, conditions, button, alternative, details, help, reference, placeholders  // blocks; the last is their count
};

/// One string for each placeholder: plain text for values, HTML for blocks.
class Values {
public:
    std::string& operator[](Placeholder name) noexcept { return texts_[static_cast<std::size_t>(name)]; }
    const std::string& operator[](Placeholder name) const noexcept { return texts_[static_cast<std::size_t>(name)]; }

private:
    std::array<std::string, static_cast<std::size_t>(Placeholder::placeholders)> texts_;
};

/// An HTML page with {{placeholders}}, checked so that whatever is put into them stays text.
class Template {
public:
    static constexpr std::size_t kMaxBytes = 256 * 1024;

    /// Refuses unknown or misplaced placeholders, scripts, event handler and style attributes (the policy would block them silently), a page
    /// without lang, title, text, button, details or reference, and what is not UTF-8. The error is the rest of a sentence after the file's name.
    static std::expected<Template, std::string> parse(std::string_view text);

    [[nodiscard]] std::string render(const Values& values) const;
    /// Sources for `style-src`: one hash for each style element of its own, the module's where {{style}} is used.
    [[nodiscard]] const std::string& style_sources() const noexcept { return style_sources_; }

private:
    std::vector<std::pair<std::string, Placeholder>> pieces_;   ///< literal HTML, then the placeholder behind it
    std::string style_sources_;
    friend class TemplateParser;
};

}  // namespace proconnect::page
