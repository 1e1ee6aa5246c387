#include "http/listener.hpp"

#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>

#include "http/connections.hpp"

namespace nimes::gateway::http {
namespace {

using asio::ip::tcp;
using Local = asio::local::stream_protocol;

// When files or memory have run out, accepting again at once would spin.
constexpr milliseconds kAcceptPause{100};

// What Acceptors of both protocols share: the loop.
template <class Protocol>
class AcceptLoop : public Listener {
  public:
    AcceptLoop(asio::io_context& io, const Router& router, const Context& context)
        : acceptor_(asio::make_strand(io)), io_(io), router_(router), context_(context) {}

    void start() override { asio::co_spawn(acceptor_.get_executor(), loop(), asio::detached); }
    void close() override {
        asio::post(acceptor_.get_executor(), [this] {
            error_code ignored;
            acceptor_.close(ignored);
        });
    }

  protected:
    virtual std::unique_ptr<Transport> transport(typename Protocol::socket socket) = 0;
    typename Protocol::acceptor acceptor_;

  private:
    asio::awaitable<void> loop() {
        while (acceptor_.is_open()) {
            error_code error;
            auto socket = co_await acceptor_.async_accept(asio::make_strand(io_),
                                                          asio::redirect_error(asio::use_awaitable, error));
            if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) co_return;
            if (error) {
                if (context_.hooks.note) context_.hooks.note("http_accept_failed", error.message());
                asio::steady_timer pause(acceptor_.get_executor(), kAcceptPause);
                co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
                continue;
            }
            if (context_.connections.size() >= context_.options.max_connections) {
                if (context_.hooks.note) context_.hooks.note("http_connections_full", "");
                continue;  // closes it
            }
            begin(std::move(socket));
        }
    }

    void begin(typename Protocol::socket socket) {
        const auto executor = socket.get_executor();
        const auto connection = std::make_shared<Connection>(context_, router_, transport(std::move(socket)));
        context_.connections.add(connection);
        asio::co_spawn(executor, connection->run(), asio::detached);
    }

    asio::io_context& io_;
    const Router& router_;
    const Context& context_;
};

class TcpListener final : public AcceptLoop<tcp> {
  public:
    using AcceptLoop::AcceptLoop;

    Result<void> open(const Listen& where) {
        error_code error;
        const auto address = asio::ip::make_address(where.address, error);
        if (error) return fail(Errc::bad_config, "a listener's address is not an IP address");
        if (where.kind == Listen::Kind::tls) {
            certificate_ = where.certificate;
            key_ = where.key;
            if (auto loaded = reload_certificate(); !loaded) return loaded;
        }
        const tcp::endpoint endpoint(address, where.port);
        acceptor_.open(endpoint.protocol(), error);
        if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (error) return fail(Errc::unavailable, "cannot listen: " + error.message());
        port_ = acceptor_.local_endpoint().port();
        return {};
    }

    Result<void> reload_certificate() override {
        if (certificate_.empty()) return {};
        auto fresh = tls_context(certificate_, key_);
        if (!fresh) return pass(fresh);
        const std::lock_guard lock(mutex_);
        tls_ = std::move(*fresh);
        return {};
    }

    std::uint16_t port() const override { return port_; }

  private:
    std::unique_ptr<Transport> transport(tcp::socket socket) override {
        const std::lock_guard lock(mutex_);
        return tls_ ? tls_transport(std::move(socket), tls_) : plain_transport(std::move(socket));
    }

    std::filesystem::path certificate_;
    std::filesystem::path key_;
    std::mutex mutex_;
    std::shared_ptr<asio::ssl::context> tls_;
    std::uint16_t port_ = 0;
};

class LocalListener final : public AcceptLoop<Local> {
  public:
    using AcceptLoop::AcceptLoop;
    ~LocalListener() override {
        if (!path_.empty()) ::unlink(path_.c_str());
    }

    Result<void> open(const Listen& where) {
        const auto text = where.path.string();
        if (text.empty() || text.size() >= sizeof(sockaddr_un::sun_path))
            return fail(Errc::bad_config, "the path of a Unix socket is empty or too long");
        const Local::endpoint endpoint(text);
        error_code error;
        if (std::filesystem::is_socket(where.path)) {
            Local::socket probe(acceptor_.get_executor());
            probe.connect(endpoint, error);
            if (!error) return fail(Errc::unavailable, "the Unix socket is in use");
            ::unlink(text.c_str());
        }
        error = {};
        acceptor_.open(endpoint.protocol(), error);
        // The mode of the descriptor becomes the file's: there is no moment at which others could connect.
        if (!error && ::fchmod(acceptor_.native_handle(), S_IRUSR | S_IWUSR) != 0)
            return fail(Errc::unavailable, "cannot restrict the Unix socket");
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) path_ = text;
        // Widened only afterwards, by name: the umask has had its say at bind().
        if (!error && where.for_group && ::chmod(text.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) != 0)
            return fail(Errc::unavailable, "cannot open the Unix socket to its group");
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (error) return fail(Errc::unavailable, "cannot listen: " + error.message());
        return {};
    }

  private:
    std::unique_ptr<Transport> transport(Local::socket socket) override { return local_transport(std::move(socket)); }
    std::string path_;
};

}  // namespace

Result<std::unique_ptr<Listener>> open_listener(asio::io_context& io, const Listen& where, const Router& router,
                                                const Context& context) {
    const auto opened = [&](auto listener) -> Result<std::unique_ptr<Listener>> {
        if (auto result = listener->open(where); !result) return pass(result);
        return std::unique_ptr<Listener>(std::move(listener));
    };
    if (where.kind == Listen::Kind::local) return opened(std::make_unique<LocalListener>(io, router, context));
    return opened(std::make_unique<TcpListener>(io, router, context));
}

Result<std::shared_ptr<asio::ssl::context>> tls_context(const std::filesystem::path& certificate,
                                                        const std::filesystem::path& key) {
    auto out = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    SSL_CTX_set_min_proto_version(out->native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_options(out->native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    error_code error;
    out->use_certificate_chain_file(certificate.string(), error);
    if (error) return fail(Errc::bad_config, "the TLS certificate cannot be read");
    out->use_private_key_file(key.string(), asio::ssl::context::pem, error);
    if (error || SSL_CTX_check_private_key(out->native_handle()) != 1)
        return fail(Errc::bad_config, "the TLS key cannot be read or is not the certificate's");
    return out;
}

}  // namespace nimes::gateway::http
