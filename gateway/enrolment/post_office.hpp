// Mail that waits for its delivery: a bounded queue and one thread that sends, waits and tries again.
//
// A mail whose delivery may succeed later is tried again after 2 s, 8 s, 30 s, then every 60 s, until its code has
// expired; meanwhile other mail goes first. A mail to the same address replaces one that still waits: only the newest
// code is of use. Nothing is kept over a restart: whoever got no mail asks again.
// Threads: post() from any. Ownership: transport, clock, metrics and log must outlive it. Errors: Errc::busy when full.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "enrolment/smtp.hpp"
#include "operations/log.hpp"
#include "operations/metrics.hpp"

namespace nimes::gateway::enrolment {

class PostOffice final : public Postman {
  public:
    struct Needs {
        Transport& transport;
        const Clock& clock;
        const operations::Metrics& metrics;
        operations::Log& log;
    };

    explicit PostOffice(const Needs& needs, std::size_t capacity = 10'000);
    ~PostOffice() override;  // stops; what waits is lost
    PostOffice(const PostOffice&) = delete;
    PostOffice& operator=(const PostOffice&) = delete;

    Result<void> post(CodeMail mail) override;
    void start();
    void stop();  // waits for the mail that is being sent
    [[nodiscard]] std::size_t waiting() const;

    // How long to wait after the n-th failure, n from 1.
    static Millis pause_after(int failures);

  private:
    struct Waiting {
        CodeMail mail;
        Millis due = 0;  // by Clock::boot()
        int failures = 0;
    };

    void run();
    // The next mail that is due, waited for; nullopt: stop.
    std::optional<Waiting> next();
    void deliver(Waiting item);
    void put_back(Waiting item);

    const Needs needs_;
    const std::size_t capacity_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Waiting> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace nimes::gateway::enrolment
