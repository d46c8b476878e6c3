#pragma once
#include <string_view>

namespace proconnect::page {

/// The one style sheet of all built-in pages; {{style}} puts it into a template. Sober, in the colours of the State's design system; no image, no
/// font and no other resource is fetched. Sizes are relative, so that zoom and the reader's own font size work.
extern const std::string_view kStyle;

/// The one layout of all built-in pages, in the language of templates.
extern const std::string_view kLayout;

}  // namespace proconnect::page
