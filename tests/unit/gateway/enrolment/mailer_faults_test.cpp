// The mailer and servers that refuse, that offer no encryption; faults of its own; wrong configuration.
#include <stdexcept>

#include "../http/client.hpp"
#include "enrolment/mailer.hpp"
#include "smtp_script.hpp"
#include "world.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::enrolment;
using namespace nimes::gateway::enrolment::test;

namespace {

// Stands until it is moved; fails on every thread but the one that made it, as often as it is told.
struct PushedClock final : Clock {
    std::atomic<Millis> time = kStart;
    mutable std::atomic<int> faults = 0;
    const std::thread::id maker = std::this_thread::get_id();
    [[nodiscard]] Millis now() const override {
        if (std::this_thread::get_id() != maker && faults > 0) {
            --faults;
            throw std::runtime_error("a clock that fails");
        }
        return time;
    }
    [[nodiscard]] Millis boot() const override { return time; }
};

struct Office {
    SmtpScript server;
    PushedClock clock;
    SystemClock log_clock;
    SystemRandom random;
    operations::Metrics metrics{"test", "test"};
    operations::Log log{log_clock, operations::Level::error};
    Mailer mailer;

    explicit Office(const std::string& user = {}, const std::string& password = {})
        : mailer({server.url, "nimes@polizei.example", user, password, {}}, clock, random, metrics, log) {}
    [[nodiscard]] bool counted(const std::string& result, int n) const {
        return metrics.text().find("nimes_mails_total{result=\"" + result + "\"} " + std::to_string(n) + "\n") !=
               std::string::npos;
    }
};

}  // namespace

TEST_CASE("a login never goes out in clear, nor does a code when there is a login") {
    Office office("nimes", "geheim");
    office.mailer.start();
    office.mailer.send_code(address(kAnna), "01234567");
    REQUIRE(web::wait_for([&] { return office.server.sessions_ended() > 0; }));
    CHECK(office.server.heard("EHLO").size() == 1);
    CHECK(office.server.heard("AUTH").empty());
    CHECK(office.server.heard("MAIL").empty());
    office.mailer.stop();
    CHECK_FALSE(office.counted("sent", 1));

    Office without;  // the same server takes mail from who has no login to lose
    without.mailer.start();
    without.mailer.send_code(address(kAnna), "01234567");
    REQUIRE(web::wait_for([&] { return without.counted("sent", 1); }));
    without.mailer.stop();
}

TEST_CASE("a final no is not asked again, a passing one is") {
    Office office;
    office.server.answer_rcpt("550 no such mailbox");
    office.mailer.start();
    office.mailer.send_code(address(kAnna), "01234567");
    REQUIRE(web::wait_for([&] { return office.counted("failed", 1); }));

    office.server.answer_rcpt("451 later");
    office.mailer.send_code(address(kBernd), "76543210");
    REQUIRE(web::wait_for([&] { return office.server.heard("RCPT").size() == 2; }));
    office.server.answer_rcpt("250 ok");
    office.clock.time += kMinute;
    REQUIRE(web::wait_for([&] { return office.counted("sent", 1); }));
    office.mailer.stop();
    const auto asked = office.server.heard("RCPT");
    REQUIRE(asked.size() == 3);
    CHECK(asked[0].find(kAnna) != std::string::npos);
    CHECK(asked[1].find(kBernd) != std::string::npos);
    CHECK(asked[2] == asked[1]);
    CHECK(office.counted("failed", 1));
}

TEST_CASE("a mail is given up when its code has no time left") {
    Office office;
    office.server.answer_rcpt("451 later");
    office.mailer.start();
    office.mailer.send_code(address(kAnna), "01234567");
    REQUIRE(web::wait_for([&] { return office.server.heard("RCPT").size() == 1; }));
    office.clock.time += 26 * kMinute;
    REQUIRE(web::wait_for([&] { return office.counted("failed", 1); }));
    office.mailer.stop();
}

TEST_CASE("an exception on the mailer's thread is an error of the log, and costs no mail") {
    Office office;
    std::atomic<int> errors = 0;
    office.log.on_error([&] { ++errors; });
    office.clock.faults = 2;
    office.mailer.start();
    office.mailer.send_code(address(kAnna), "01234567");
    REQUIRE(web::wait_for([&] { return office.counted("sent", 1); }));
    office.mailer.stop();
    CHECK(errors == 2);
}

TEST_CASE("an exception on enrolment's thread is an error of the log, and the next request is served") {
    World w;
    std::atomic<int> errors = 0;
    w.log.on_error([&] { ++errors; });
    w.roster.fault = kAnna;
    REQUIRE(w.room->request_code(kAnna, kPeer));
    w.ask(kBernd);
    CHECK(errors == 1);
    CHECK(w.post.count() == 1);
}

TEST_CASE("a mail server is configured by its URL and one plain sender") {
    const auto check_of = [](const std::string& url, const std::string& sender) {
        const auto ok = check({url, sender, {}, {}, {}});
        if (!ok) CHECK(ok.error().code == Errc::bad_config);
        return ok.has_value();
    };
    CHECK(check_of("smtp://mail.polizei.example:587", "nimes@polizei.example"));
    CHECK(check_of("smtps://mail.polizei.example:465", "Nimes@Polizei.example"));
    for (const auto* sender :
         {"", "nimes", "nimes <nimes@polizei.example>", "nimes@polizei.example>\r\nBcc: <e@x.example",
          "a@polizei.example,b@polizei.example", "nimes@polizei.example\n"})
        CHECK_FALSE(check_of("smtp://mail.polizei.example", sender));
    for (const auto* url : {"", "mail.polizei.example", "http://mail.polizei.example", "file:///etc/passwd"})
        CHECK_FALSE(check_of(url, "nimes@polizei.example"));
}
