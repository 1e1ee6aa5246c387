#include "http/server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <thread>

#include "http/connections.hpp"
#include "http/listener.hpp"

namespace nimes::gateway::http {

struct Server::Impl {
    Impl(ServerOptions o, Authoriser* authoriser, ServerHooks h)
        : options(o),
          hooks(std::move(h)),
          workers(options.workers),
          context{options, hooks, authoriser, workers, connections} {}

    const ServerOptions options;
    const ServerHooks hooks;
    Connections connections;
    asio::io_context io;
    asio::executor_work_guard<asio::io_context::executor_type> guard = asio::make_work_guard(io);
    asio::thread_pool workers;
    const Context context;
    std::vector<std::unique_ptr<Listener>> listeners;
    std::vector<std::thread> threads;
    std::mutex mutex;  // start, stop, reload
    bool stopped = false;
};

Server::Server(ServerOptions options, Authoriser* authoriser, ServerHooks hooks)
    : impl_(std::make_unique<Impl>(options, authoriser, std::move(hooks))) {}

Server::~Server() { stop(); }

Result<std::uint16_t> Server::listen(const Listen& where, const Router& router) {
    const std::lock_guard lock(impl_->mutex);
    auto listener = open_listener(impl_->io, where, router, impl_->context);
    if (!listener) return pass(listener);
    impl_->listeners.push_back(std::move(*listener));
    return impl_->listeners.back()->port();
}

Result<void> Server::start() {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopped || !impl_->threads.empty()) return fail(Errc::internal, "a server starts once");
    for (const auto& listener : impl_->listeners) listener->start();
    for (std::size_t i = 0; i < impl_->options.io_threads; ++i)
        impl_->threads.emplace_back([io = &impl_->io] { io->run(); });
    return {};
}

Result<void> Server::reload_certificates() {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& listener : impl_->listeners)
        if (auto reloaded = listener->reload_certificate(); !reloaded) return reloaded;
    return {};
}

std::size_t Server::cut(const DeviceId& device) { return impl_->connections.cut(device); }
std::size_t Server::connections() const { return impl_->connections.size(); }

void Server::stop() {
    const std::lock_guard lock(impl_->mutex);
    if (std::exchange(impl_->stopped, true)) return;
    for (const auto& listener : impl_->listeners) listener->close();
    impl_->connections.end_all(true);
    if (!impl_->connections.wait_until_empty(impl_->options.stop_grace)) {
        impl_->connections.end_all(false);
        // What is left now are handlers that run; they end, and their connections with them.
        while (!impl_->threads.empty() && !impl_->connections.wait_until_empty(std::chrono::seconds(1)))
            impl_->connections.end_all(false);
    }
    impl_->guard.reset();
    impl_->workers.join();
    for (auto& thread : impl_->threads) thread.join();
    impl_->listeners.clear();
}

}  // namespace nimes::gateway::http
