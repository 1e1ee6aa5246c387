// The owner's side of HOME/agent.sock: serves other processes while this one owns the home.
//
// When the owner's own command is done (destruction), clients that have asked are served to their end; one that watches
// has no end and is cut, to go on with the next owner, or as it. After Ctrl-C (`stop`) the others are stopped, too, and
// what they could not finish they repeat elsewhere under the same id. A request that changes something is remembered by
// its id, so that a repeat is answered, not done again.
//
// Threads: one that accepts, two for each client. The service must outlive this. Nothing that comes over the socket,
// and no exception of the service, ends the process.
#pragma once

#include <atomic>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "cli/home_socket.hpp"
#include "cli/service.hpp"

namespace nimes::agent::cli {

// Asks the service; an exception becomes Errc::internal.
Result<Json> guarded_call(Service& service, const Request& request, const Emit& emit, const std::stop_token& stop);

class HomeServer {
  public:
    HomeServer(Listener listener, Service& service, std::stop_token stop);
    ~HomeServer();
    HomeServer(const HomeServer&) = delete;
    HomeServer& operator=(const HomeServer&) = delete;

  private:
    struct Client {
        explicit Client(Channel c) : channel(std::move(c)) {}
        Channel channel;
        std::atomic<bool> asked = false;  // its request is here
        std::atomic<bool> done = false;
        std::thread thread;
    };

    void accept_clients();
    void remove_done();
    void serve(Client& client);
    Result<void> answer(Client& client, const Request& request);
    std::optional<Json> remembered(const Request& request);
    void remember(const Request& request, const Json& answer);

    Listener listener_;
    Service& service_;
    const std::stop_token stop_;
    std::stop_source own_done_;
    std::list<Client> clients_;  // of the accepting thread, then of the destructor

    std::mutex mutex_;
    std::unordered_map<std::string, Json> answers_;  // by verb and id
    std::deque<std::string> oldest_;

    std::thread thread_;
};

}  // namespace nimes::agent::cli
