// Is the process alive, is it ready for work: named checks behind /livez and /readyz.
//
// /livez says only that the process answers. /readyz asks every check each time (store writable, broker linked, …) and
// is 200 when all pass, 503 otherwise; machines read the status alone, people add ?verbose for one line a check. A
// check must be quick and must not throw; its error's code is shown, so no user data can be. This room knows no HTTP:
// `app` puts livez(), readyz() and Metrics::text() behind routes of a plain listener. Threads: add() before use, the
// rest from any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nimes/error.hpp"

namespace nimes::gateway::operations {

inline constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
inline constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

struct Page {
    int status = 200;
    std::string body;  // kPlainText
};

class Health {
  public:
    using Check = std::function<Result<void>()>;
    void add(std::string name, Check check);

    [[nodiscard]] Page livez(bool verbose) const;
    [[nodiscard]] Page readyz(bool verbose) const;

  private:
    struct Named {
        std::string name;
        Check check;
    };
    std::vector<Named> checks_;
};

}  // namespace nimes::gateway::operations
