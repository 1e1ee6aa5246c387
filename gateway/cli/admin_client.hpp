// Speaks to a running gateway's administration socket: HTTP over a Unix socket, JSON both ways.
//
// With a token the gateway grants what its administrator may, without one what the Unix user may. One request at a
// time; not thread safe. Errors: what the gateway's problem+json says; Errc::unavailable when nobody listens there.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "nimes/error.hpp"

namespace nimes::gateway::cli {

class AdminClient {
  public:
    explicit AdminClient(std::filesystem::path socket, std::string token = {})
        : socket_(std::move(socket)), token_(std::move(token)) {}

    Result<nlohmann::json> get(const std::string& path);
    Result<nlohmann::json> post(const std::string& path, const nlohmann::json& body);
    Result<nlohmann::json> del(const std::string& path);
    Result<nlohmann::json> post_csv(const std::string& path, const std::string& csv);

  private:
    Result<nlohmann::json> request(const char* method, const std::string& path, const char* type,
                                   const std::string& body);
    std::filesystem::path socket_;
    std::string token_;
};

// For a query: everything but letters, digits and -._~ is escaped.
std::string query_escape(std::string_view text);

}  // namespace nimes::gateway::cli
