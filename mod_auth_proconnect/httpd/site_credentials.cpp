#include "httpd/site_credentials.hpp"

#include "httpd/log.hpp"
#include "httpd/secret_source.hpp"
#include "httpd/site_problem.hpp"
#include "json/document.hpp"

namespace proconnect::httpd {
namespace {

constexpr std::size_t kMaxKeyFileBytes = 64 * 1024;

using Result = std::expected<void, ConfigProblem>;

class Credentials {
public:
    Credentials(server_rec* s, const ServerConfig& config, bool run_programs, Site& site) : server_(s), config_(config), run_programs_(run_programs), site_(site) {}

    Result run() {
        for (const auto step : {&Credentials::authentication, &Credentials::decryption, &Credentials::public_keys}) {
            if (auto done = (this->*step)(); !done) {
                return done;
            }
        }
        return {};
    }

private:
    Result authentication() {
        auto& client = site_.client;
        const bool has_secret = config_.client_secret.has_value();
        const bool has_key = config_.client_key.has_value();
        if (!has_secret && !has_key) {
            const auto& elsewhere = config_.credentials_of_another;
            return missing_directive(server_, config_, "ProConnectClientSecret", (elsewhere ? "that of " + elsewhere->text() + " belongs to another client; " : std::string{}) +
                                                         "write 'ProConnectClientSecret file:/etc/apache2/proconnect/client_secret'");
        }
        const std::string method = config_.token_endpoint_auth ? config_.token_endpoint_auth->value : has_key ? "private_key_jwt" : "client_secret_post";
        using enum oidc::ClientAuthentication;
        if (method == "client_secret_post" || method == "client_secret_basic") {
            client.authentication = method == "client_secret_post" ? client_secret_post : client_secret_basic;
            if (!has_secret) {
                return problem(config_.token_endpoint_auth->place, method + " needs ProConnectClientSecret");
            }
        } else if (method == "private_key_jwt") {
            client.authentication = private_key_jwt;
            if (!has_key) {
                return problem(config_.token_endpoint_auth->place, "private_key_jwt needs ProConnectClientKey");
            }
        } else {
            return problem(config_.token_endpoint_auth->place, "takes client_secret_post, private_key_jwt or client_secret_basic; not '" + method + "'");
        }
        if (has_key) {
            auto key = private_key(*config_.client_key);
            if (!key) {
                return std::unexpected(std::move(key.error()));
            }
            client.signing_key = std::move(*key);
        }
        if (has_secret) {
            if (auto done = secret(); !done) {
                return done;
            }
        }
        return check_hs256();
    }

    /// A key for HS256 has at least the size of its hash (RFC 7518 section 3.2).
    Result check_hs256() {
        auto& client = site_.client;
        constexpr std::size_t kLeastBytes = 32;
        if (config_.client_secret && (is_unknown_secret_ || client.client_secret.reveal().size() >= kLeastBytes)) {
            return {};
        }
        for (const auto* setting : {&config_.signing_algorithm, &config_.userinfo_algorithm}) {
            if (*setting && (*setting)->value == "HS256") {
                return problem((*setting)->place, "HS256 needs a ProConnectClientSecret of at least 32 characters");
            }
        }
        client.userinfo.signed_with.hs256 = false;
        return {};
    }

    Result secret() {
        const auto& [value, place] = *config_.client_secret;
        const auto source = parse_secret_source(value);
        if (!source) {
            return problem(place, source.error());
        }
        if (source->kind == SecretSource::Kind::program) {
            warn(place, source->shown(), weaknesses_of_program(source->shown()));
        }
        site_.client_secret_in_config = source->kind == SecretSource::Kind::literal;
        if (source->kind == SecretSource::Kind::program && !run_programs_) {
            is_unknown_secret_ = true;
            site_.client.client_secret = core::Secret{"configtest does not run programs"};
            return {};
        }
        auto read = read_secret(*source, server_->process->pconf);
        if (!read) {
            const std::string what = source->kind == SecretSource::Kind::literal ? "the secret" : "'" + source->shown() + "'";
            return problem(place, what + " " + read.error());
        }
        if (source->kind == SecretSource::Kind::file) {
            warn(place, source->name, weaknesses_of_secret_file(source->name));
        }
        if (site_.client_secret_in_config && place.file != nullptr && is_world_readable(place.file)) {
            log_startup_warning(server_, place.text() + ": the secret stands in a file that everybody on this machine can read; put it into a file of "
                                                        "its own and write 'ProConnectClientSecret file:PATH'");
        }
        site_.client.client_secret = std::move(*read);
        return {};
    }

    void warn(const Place& place, const std::string& path, const std::vector<std::string>& weaknesses) {
        for (const auto& weakness : weaknesses) {
            log_startup_warning(server_, place.text() + ": " + path + " " + weakness);
        }
    }

    std::expected<crypto::PrivateKey, ConfigProblem> private_key(const Setting<std::string>& setting) {
        const std::string path = path_of_file(setting.value);
        const auto pem = read_secret_file(path, kMaxKeyFileBytes);
        if (!pem) {
            return problem(setting.place, "'" + path + "' " + pem.error());
        }
        warn(setting.place, path, weaknesses_of_secret_file(path));
        auto key = crypto::PrivateKey::from_pem(pem->reveal());
        if (!key) {
            return problem(setting.place, "'" + path + "' is no usable private key: " + key.error().detail);
        }
        return std::move(*key);
    }

    Result decryption() {
        for (const auto& setting : config_.decryption_keys) {
            auto key = private_key(setting);
            if (!key) {
                return std::unexpected(std::move(key.error()));
            }
            site_.client.decryption_keys.push_back(std::move(*key));
        }
        return {};
    }

    Result public_keys() {
        const auto& client = site_.client;
        json::Writer writer;
        writer.begin_object().key("keys").begin_array();
        const auto add = [&](const crypto::PrivateKey& key, std::string_view use, std::string_view algorithm) {
            const auto jwk = key.public_jwk(use, algorithm);
            if (jwk) {
                writer.raw(*jwk);
            }
            return jwk.has_value();
        };
        bool complete = true;
        if (client.signing_key) {
            complete = add(*client.signing_key, "sig", crypto::to_text(crypto::algorithm_of(*client.signing_key)));
        }
        for (const auto& key : client.decryption_keys) {
            complete = add(key, "enc", key.kind() == crypto::KeyKind::rsa ? "RSA-OAEP" : "ECDH-ES") && complete;
        }
        if (!complete) {
            return Problem{{"OpenSSL cannot export the public half of ProConnectClientKey or ProConnectDecryptionKey for " + name_of(server_)}};
        }
        writer.end_array().end_object();
        if (client.signing_key || !client.decryption_keys.empty()) {
            site_.public_jwks = writer.take();
        }
        return {};
    }

    server_rec* server_;
    const ServerConfig& config_;
    bool run_programs_;
    Site& site_;
    bool is_unknown_secret_ = false;   ///< a program would have to be run for it
};

}  // namespace

std::expected<void, ConfigProblem> resolve_credentials(server_rec* s, const ServerConfig& config, bool run_programs, Site& site) {
    return Credentials{s, config, run_programs, site}.run();
}

}  // namespace proconnect::httpd
