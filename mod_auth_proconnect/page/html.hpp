#pragma once
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace proconnect::page {

/// Text made safe between tags and inside a quoted attribute value: & < > " ' become references. Nothing is safe in any other place of
/// HTML, which is why templates can put text nowhere else.
[[nodiscard]] std::string escape_html(std::string_view text);

/// Escaped paragraphs of a text; an empty line separates two, a line end within one becomes a break. "" for no text.
[[nodiscard]] std::string paragraphs(std::string_view text);

/// The source expression that allows a style element of exactly this content, CSP level 3 section 2.3.1; "'none'" should SHA-256 fail.
[[nodiscard]] std::string style_hash_source(std::string_view style);

/// `data:TYPE;base64,…`, RFC 2397.
[[nodiscard]] std::string data_uri(std::string_view type, std::string_view bytes);

/// The language that Accept-Language prefers (RFC 9110 section 12.5.4): English when its weight is above French's, else French.
[[nodiscard]] core::Language preferred_language(std::string_view accept_language);

}  // namespace proconnect::page
