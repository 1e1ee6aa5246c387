// Codes by SMTP (RFC 5321) through libcurl, on a thread of its own: a slow mail server delays mails and nothing else.
//
// A mail that fails is tried again for as long as its code lives, unless the server said a final no (5xx); the queue is
// bounded, what does not fit is counted as failed. TLS: smtps:// always; smtp:// takes STARTTLS where it is offered,
// and insists on it when a CA or a login is given: a password never goes out in clear. Nothing of a person is ever put
// into a header but the address, which ServiceAddress has checked: no injection. Threads: send_code() from any; start()
// and stop() from one.
#pragma once

#include <filesystem>
#include <memory>

#include "enrolment/ports.hpp"
#include "operations/log.hpp"
#include "operations/metrics.hpp"

namespace nimes::gateway::enrolment {

struct MailServer {
    std::string url;     // smtp://host:port, smtps://host:port
    std::string sender;  // bare address
    std::string user, password;
    std::filesystem::path ca;
};

// Errc::bad_config, with the key's name: what is checked here goes into headers and commands as it is.
Result<void> check(const MailServer& server);

class Mailer final : public Post {
  public:
    Mailer(MailServer server, const Clock& clock, RandomSource& random, const operations::Metrics& metrics,
           operations::Log& log);
    ~Mailer() override;
    void start();
    void stop();
    void send_code(const ServiceAddress& to, const std::string& code) override;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// The mail as it is sent, lines ended by CRLF. Pure.
std::string code_mail(const std::string& sender, const ServiceAddress& to, const std::string& code, Millis now,
                      const std::string& id);

}  // namespace nimes::gateway::enrolment
