// A failure as an answer: application/problem+json (RFC 9457) with our stable code and a hint beside the standard
// members.
//
// {"type":"urn:nimes:error:ERR_…","title":…,"status":…,"code":"ERR_…","detail":…,"hint":…}; detail only where there is
// one. 401 carries WWW-Authenticate; what passes by itself (rate limit, busy, unavailable) carries Retry-After, which a
// handler may set to something longer. Pure, thread safe. What is in Error::detail goes out: it never holds user data.
#pragma once

#include "http/request.hpp"

namespace nimes::gateway::http {

Response problem(const Error& error);
inline Response problem(Errc code, std::string detail = {}) { return problem(Error{code, std::move(detail)}); }
// With another status than the table's, where HTTP has a better one (431 for too large a head).
Response problem(const Error& error, int status);

}  // namespace nimes::gateway::http
