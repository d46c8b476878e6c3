#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "page/template.hpp"

namespace proconnect::page {

/// The one thing to do on a page.
struct Button {
    std::string label;        ///< "" = none
    std::string address;      ///< local address, or the support's mail or web address
    bool post = false;        ///< a form that POSTs, not a link
    std::vector<std::pair<std::string, std::string>> fields;   ///< of the form, hidden
};

/// More for the page to say, below the text: a heading, a text, a list, terms with their values. What is empty is left out.
struct Block {
    std::string heading, text;
    std::vector<std::string> items{};
    std::vector<std::pair<std::string, std::string>> terms{};
};

/// What is said on a page. All of it is plain text.
struct Content {
    core::Language language = core::Language::french;
    std::string service, title, text;
    Button button;
    std::vector<Block> blocks;
    std::string support;      ///< "mailto:…", a URL, or ""
    std::string reference;    ///< "PC2001 · ABCDEFGHJK", or ""
    std::string notice;       ///< of the administrator, for instance a planned outage
    // The login page:
    bool proconnect_button = false;                       ///< the button is ProConnect's own, with its explanation beneath
    std::string conditions;
    std::pair<std::string, std::string> alternative;      ///< text and address of another way in
};

/// How the pages of one site look: templates for each kind and language, and the image of the ProConnect button.
class Look {
public:
    enum class Kind { page, login };

    /// The built-in layout.
    Look();

    /// Replaces a template by one of the administrator's; its pages may then also use images, fonts and style sheets of this site.
    void replace(Kind kind, core::Language language, const Template& own);
    /// `data:` URI of an image shown in place of the drawn button.
    void set_button_image(std::string uri);

    [[nodiscard]] std::string render(const Content& content) const;
    /// The Content-Security-Policy of that page: no script in any case.
    [[nodiscard]] const std::string& policy(const Content& content) const;

private:
    struct Face {
        Template html;
        bool own = false;
        std::string policy;
    };
    [[nodiscard]] const Face& face(const Content& content) const;
    void make_policy(Face& face) const;

    std::array<std::array<Face, 2>, 2> faces_;   ///< by kind and language
    std::string button_image_;
};

}  // namespace proconnect::page
