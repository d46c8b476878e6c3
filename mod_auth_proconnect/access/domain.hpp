#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace proconnect::access {

/// A domain in the one spelling that comparisons use: lower case, each label an A-label (RFC 5890; "préfecture.fr" is "xn--prfecture-c4a.fr").
/// Nothing for what is no domain: empty labels, a final dot, other signs than letters, digits and '-', over 253 characters.
[[nodiscard]] std::optional<std::string> normalized_domain(std::string_view domain);

/// The domain of an e-mail address: what follows its one '@'. Nothing when there is none or several, or nothing stands before it.
[[nodiscard]] std::optional<std::string_view> domain_of_email(std::string_view email) noexcept;

/// The same spelling written to `buffer`, without allocation for a domain in ASCII. @return a view on it; nothing as above
class DomainBuffer {
public:
    [[nodiscard]] std::optional<std::string_view> normalize(std::string_view domain);

private:
    char bytes_[254];
    std::string rare_;   ///< for a domain that is not in ASCII
};

}  // namespace proconnect::access
