// The mail that carries a code: composed here, handed to whoever delivers it.
//
// What reaches a header is a ServiceAddress (checked ASCII without white space), a number or hex: no input can add a
// header or a recipient. compose() is pure; a Postman may be called from any thread.
#pragma once

#include <string>

#include "nimes/service_address.hpp"
#include "nimes/time.hpp"

namespace nimes::gateway::enrolment {

struct CodeMail {
    ServiceAddress to;
    std::string code;
    Millis written = 0;
    Millis expires = 0;  // of the code: of no use afterwards
};

// RFC 5322 with CRLF, 7-bit, German and English. `id` makes the Message-ID.
std::string compose(const CodeMail& mail, const ServiceAddress& sender, ByteView id);
// "Mon, 23 Nov 2026 14:05:06 +0000", in every locale.
std::string rfc5322_date(Millis ms);

// Takes mail and delivers it later.
class Postman {
  public:
    virtual ~Postman() = default;
    // Does not wait for the network. Errc::busy when too much waits already.
    virtual Result<void> post(CodeMail mail) = 0;
};

}  // namespace nimes::gateway::enrolment
