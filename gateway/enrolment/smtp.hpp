// One SMTP server, by libcurl: smtps://host:465, or smtp://host:587 with STARTTLS.
//
// With smtp://, TLS is used where the server offers it, and demanded when a user name or a CA is configured: a password
// never leaves in the clear. Certificates are verified always. No proxy, no .netrc, no other protocol.
// Threads: send() from one thread at a time; the connection is kept between calls. Errors: Errc::bad_config (create),
// Errc::unavailable (try again: no connection, TLS, 4xx), Errc::forbidden (the server refuses this mail for good, 5xx).
// Details hold curl's and SMTP's codes, never an address or the server's text.
#pragma once

#include <filesystem>
#include <memory>

#include "enrolment/mail.hpp"

namespace nimes::gateway::enrolment {

struct SmtpOptions {
    std::string url;
    std::string sender;          // a service address; its domain also names our Message-IDs
    std::string user, password;  // both or neither
    std::filesystem::path ca;    // PEM; empty: the system's
    long connect_seconds = 10;
    long total_seconds = 30;
};

// Delivers one mail now.
class Transport {
  public:
    virtual ~Transport() = default;
    virtual Result<void> send(const CodeMail& mail) = 0;
};

class SmtpTransport final : public Transport {
  public:
    static Result<std::unique_ptr<SmtpTransport>> create(SmtpOptions options, RandomSource& random);
    ~SmtpTransport() override;
    Result<void> send(const CodeMail& mail) override;

  private:
    struct Impl;
    explicit SmtpTransport(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::gateway::enrolment
