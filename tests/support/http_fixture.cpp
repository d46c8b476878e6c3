#include "support/http_fixture.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace proconnect::test {
namespace {

using std::chrono::milliseconds;

void require(bool ok, const char* what) {
    if (!ok) {
        throw std::runtime_error(what);
    }
}

template <auto kFree>
struct FreeWith {
    template <typename T>
    void operator()(T* handle) const noexcept { kFree(handle); }
};
using Pkey = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Tls = std::unique_ptr<SSL, FreeWith<SSL_free>>;

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, "certificate extension");
    X509_EXTENSION_free(extension);
}

Certificate make_certificate(const char* name, long serial, EVP_PKEY* key, std::chrono::seconds from, std::chrono::seconds until) {
    Certificate certificate(X509_new());
    require(certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1, "certificate");
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), static_cast<long>(from.count()));
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(until.count()));
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    require(X509_set_pubkey(certificate.get(), key) == 1, "certificate key");
    return certificate;
}

std::string pem_of(X509* certificate) {
    const Bio bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_X509(bio.get(), certificate) == 1, "certificate PEM");
    return text_of(bio.get());
}

std::string pem_of(EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "key PEM");
    return text_of(bio.get());
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

int bound_socket(std::uint16_t& port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    require(socket >= 0 && ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0,
            "loopback socket");
    port = ntohs(address.sin_port);
    return socket;
}

bool is_readable(int socket, milliseconds wait) {
    pollfd descriptor{.fd = socket, .events = POLLIN, .revents = 0};
    return ::poll(&descriptor, 1, static_cast<int>(wait.count())) > 0;
}

constexpr milliseconds kTick{20};

std::size_t announced_length(const std::string& head) {
    constexpr std::string_view kName = "Content-Length: ";
    const std::size_t at = head.find(kName);
    return at == std::string::npos ? 0 : static_cast<std::size_t>(std::strtoul(head.c_str() + at + kName.size(), nullptr, 10));
}

}  // namespace

struct TestAuthority::Impl {
    Pkey key;
    Certificate certificate;
    mutable long next_serial = 2;
};

TestAuthority::TestAuthority(const char* name) : impl_(std::make_unique<Impl>()) {
    impl_->key.reset(EVP_EC_gen("P-256"));
    require(impl_->key != nullptr, "CA key");
    impl_->certificate = make_certificate(name, 1, impl_->key.get(), std::chrono::hours{-48}, std::chrono::hours{48});
    X509* certificate = impl_->certificate.get();
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign");
    require(X509_sign(certificate, impl_->key.get(), EVP_sha256()) > 0, "CA signature");

    std::string path = std::string(std::getenv("TMPDIR") != nullptr ? std::getenv("TMPDIR") : "/tmp") + "/proconnect-test-ca-XXXXXX";
    const int file = ::mkstemp(path.data());
    const std::string pem = pem_of(certificate);
    require(file >= 0 && ::write(file, pem.data(), pem.size()) == static_cast<ssize_t>(pem.size()), "CA file");
    ::close(file);
    ca_file_ = path;
}

TestAuthority::~TestAuthority() {
    ::unlink(ca_file_.c_str());
}

TlsIdentity TestAuthority::issue(const std::string& name, std::chrono::seconds from, std::chrono::seconds until) const {
    const Pkey key(EVP_EC_gen("P-256"));
    const Certificate certificate = make_certificate("server", impl_->next_serial++, key.get(), from, until);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(impl_->certificate.get()));
    add_extension(certificate.get(), impl_->certificate.get(), NID_subject_alt_name, (name == "127.0.0.1" ? "IP:" : "DNS:") + name);
    add_extension(certificate.get(), impl_->certificate.get(), NID_ext_key_usage, "serverAuth");
    require(X509_sign(certificate.get(), impl_->key.get(), EVP_sha256()) > 0, "server signature");
    return {.certificate = pem_of(certificate.get()), .key = pem_of(key.get())};
}

struct HttpFixture::TlsContext {
    std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>> context{SSL_CTX_new(TLS_server_method())};
};

class HttpFixture::Peer final : public Connection {
public:
    Peer(int socket, const std::atomic<bool>& stopping) : socket_(socket), stopping_(stopping) {
        // No client can keep a worker, and with it the end of the test.
        const timeval limit{.tv_sec = 5, .tv_usec = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    }
    ~Peer() override {
        if (tls_ && !abrupt_) {
            SSL_shutdown(tls_.get());
        }
        ::close(socket_);
    }

    bool start_tls(SSL_CTX* context) {
        tls_.reset(SSL_new(context));
        SSL_set_fd(tls_.get(), socket_);
        return wait_readable() && SSL_accept(tls_.get()) == 1;
    }

    bool send(std::string_view bytes) override {
        while (!bytes.empty() && !stopping_) {
            const auto sent = tls_ ? static_cast<ssize_t>(SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())))
                                   : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return bytes.empty();
    }

    bool pause(milliseconds time) override {
        const auto end = std::chrono::steady_clock::now() + time;
        while (!stopping_ && std::chrono::steady_clock::now() < end) {
            std::this_thread::sleep_for(std::min(time, kTick));
        }
        return !stopping_;
    }

    void hang() override {
        char byte = 0;
        while (wait_readable() && ::recv(socket_, &byte, 1, 0) > 0) {
        }
        close();
    }

    void reset() override {
        const linger abort{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
        close();
    }

    void close() override {
        open_ = false;
        abrupt_ = true;
    }
    [[nodiscard]] bool is_open() const noexcept { return open_; }

    /// Head and body of the next request; "" at the end.
    std::string read_request() {
        std::string request;
        std::size_t head_end = std::string::npos;
        while (head_end == std::string::npos || request.size() < head_end + 4 + announced_length(request.substr(0, head_end))) {
            char buffer[4096];
            if ((tls_ == nullptr || SSL_pending(tls_.get()) == 0) && !wait_readable()) {
                return {};
            }
            const auto got = tls_ ? static_cast<ssize_t>(SSL_read(tls_.get(), buffer, sizeof(buffer))) : ::recv(socket_, buffer, sizeof(buffer), 0);
            if (got <= 0) {
                return {};
            }
            request.append(buffer, static_cast<std::size_t>(got));
            head_end = request.find("\r\n\r\n");
        }
        return request;
    }

private:
    bool wait_readable() {
        while (!stopping_) {
            if (is_readable(socket_, kTick)) {
                return true;
            }
        }
        return false;
    }

    int socket_;
    const std::atomic<bool>& stopping_;
    Tls tls_;
    bool open_ = true;
    bool abrupt_ = false;
};

HttpFixture::HttpFixture(Handler handler) : HttpFixture(std::move(handler), Options{}) {}

HttpFixture::HttpFixture(Handler handler, Options options) : handler_(std::move(handler)), options_(std::move(options)) {
    if (options_.tls) {
        tls_ = std::make_unique<TlsContext>();
        SSL_CTX* context = tls_->context.get();
        const Bio certificate(BIO_new_mem_buf(options_.tls->certificate.data(), static_cast<int>(options_.tls->certificate.size())));
        const Bio key(BIO_new_mem_buf(options_.tls->key.data(), static_cast<int>(options_.tls->key.size())));
        const Certificate parsed(PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr));
        const Pkey parsed_key(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
        require(SSL_CTX_use_certificate(context, parsed.get()) == 1 && SSL_CTX_use_PrivateKey(context, parsed_key.get()) == 1, "TLS identity");
        if (options_.max_tls_version != 0) {
            SSL_CTX_set_min_proto_version(context, 0);
            SSL_CTX_set_max_proto_version(context, options_.max_tls_version);
            SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0");
        }
    }
    listener_ = bound_socket(port_);
    require(::listen(listener_, 64) == 0, "listen");
    acceptor_ = std::jthread([this] { accept_all(); });
}

HttpFixture::~HttpFixture() {
    stopping_ = true;
    acceptor_.join();
    workers_.clear();
    ::close(listener_);
}

std::string HttpFixture::url(std::string_view path) const {
    return (options_.tls ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(port_) + std::string(path);
}

std::vector<std::string> HttpFixture::requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
}

void HttpFixture::accept_all() {
    // SSL_write has no MSG_NOSIGNAL; the workers inherit this mask, and the client under test does not.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    while (!stopping_) {
        if (!is_readable(listener_, kTick)) {
            continue;
        }
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket >= 0) {
            ++connections_;
            workers_.emplace_back([this, socket] { serve(socket); });
        }
    }
}

void HttpFixture::serve(int socket) {
    Peer peer(socket, stopping_);
    if (!options_.waits_for_request) {
        handler_(peer, "");
        return;
    }
    if (tls_ && !peer.start_tls(tls_->context.get())) {
        peer.close();
        return;
    }
    while (peer.is_open()) {
        const std::string request = peer.read_request();
        if (request.empty()) {
            return;
        }
        {
            const std::scoped_lock lock(mutex_);
            requests_.push_back(request);
        }
        handler_(peer, request);
    }
}

std::string http_answer(int status, std::string_view body, std::string_view more_headers) {
    return "HTTP/1.1 " + std::to_string(status) + " Status\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(more_headers) + "\r\n" +
           std::string(body);
}

std::uint16_t unused_port() {
    std::uint16_t port = 0;
    ::close(bound_socket(port));
    return port;
}

}  // namespace proconnect::test
