// Who is asking: "Authorization: Bearer <160 characters>" is cut to the token here and judged elsewhere.
//
// The directory decides who a token speaks for and whether that device may enter; `app` implements Authoriser on it.
// Errors: Errc::token_missing, token_invalid; what the Authoriser says besides. The token never reaches a log.
#pragma once

#include "http/request.hpp"

namespace nimes::gateway::http {

class Authoriser {
  public:
    virtual ~Authoriser() = default;
    // `token` is 160 characters of base64url, not looked at further. Called on worker threads, several at once.
    virtual Result<Caller> authorise(std::string_view token) = 0;
};

// What follows "Bearer " in the one Authorization field; the scheme compares without case.
Result<std::string_view> bearer_credentials(const Headers& headers);
// The same, of a device: 160 characters.
Result<std::string_view> bearer_token(const Headers& headers);

}  // namespace nimes::gateway::http
