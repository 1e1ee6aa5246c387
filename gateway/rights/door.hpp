// The one door to the administration: every route stands behind it, each with what it does, and nothing is asked of a
// handler that the table (roles.cpp) does not grant to whoever asks.
//
// Who asks: with "Authorization: Bearer nimes-admin-…" that administrator, whoever is at the socket. Without, the
// gateway's own user and root are the local root, with an owner's rights, so that nobody is locked out of their own
// machine; anybody else who can open the socket is nobody. How far: a route of the whole() organisation is closed to
// who has units alone; one that is filtered() shows, and changes, only what its handler finds that Asker::covers();
// one that is aimed() says which people it means, all of whom must be in the asker's units. An act on an owner is an
// owner's, and one on somebody who has rights elsewhere too is not for who has them in a unit alone. A refusal is
// counted, and where an act was tried it is in the audit. There is no way to add a route without its action. Threads:
// add before the server starts, the rest from any. Ownership: everything in Needs must outlive it. Errors: 401 and 403
// with Errc::forbidden, and what would be right.
#pragma once

#include "audit/log.hpp"
#include "http/router.hpp"
#include "operations/metrics.hpp"
#include "rights/administrators.hpp"

namespace nimes::gateway::rights {

using Handler = std::function<http::Response(http::Request&, const Asker&)>;

// Somebody whom a request is about.
struct Meant {
    std::string address, unit;
};
// Everybody whom it is about; errors are answered as they are.
using Aim = std::function<Result<std::vector<Meant>>(const http::Request&)>;

// What a route does: one action, or the one of several that its body says.
struct What {
    std::vector<Action> all;
    std::function<Result<Action>(const http::Request&)> which;  // empty: the first
    What(Action one) : all{one} {}                              // NOLINT: a route says just its action
    What(std::vector<Action> several, std::function<Result<Action>(const http::Request&)> by)
        : all(std::move(several)), which(std::move(by)) {}
};

// Why somebody acts, for the audit: in the query or the body; empty where they say nothing.
inline constexpr std::size_t kMaxWhy = 1'000;  // bytes; what is more is cut off
std::string why_of(const http::Request& request);

class Door {
  public:
    struct Needs {
        Administrators& administrators;
        audit::Log& audit;
        const operations::CounterFamily& refusals;  // reason
        std::uint32_t own_uid;                      // whose process this is
    };
    explicit Door(const Needs& needs) : needs_(needs) {}

    Door& whole(http::Method method, std::string pattern, What what, Handler handler, std::size_t body_limit = 0);
    Door& filtered(http::Method method, std::string pattern, What what, Handler handler, std::size_t body_limit = 0);
    Door& aimed(http::Method method, std::string pattern, What what, Aim aim, Handler handler,
                std::size_t body_limit = 0);

    // For the listener of the socket.
    [[nodiscard]] const http::Router& router() const { return router_; }
    struct Row {
        http::Method method;
        std::string pattern;
        std::vector<Action> actions;
        bool whole_only = false;
    };
    [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

  private:
    Door& add(Row row, What what, Aim aim, Handler handler, std::size_t body_limit);
    [[nodiscard]] Result<Asker> asker(const http::Request& request) const;
    http::Response pass_through(const Row& row, const What& what, const Aim& aim, const Handler& handler,
                                http::Request& request) const;
    http::Response refuse(const http::Request& request, const Asker& asker, Action action, const char* reason,
                          const std::string& detail) const;

    const Needs needs_;
    http::Router router_;
    std::vector<Row> rows_;
};

}  // namespace nimes::gateway::rights
