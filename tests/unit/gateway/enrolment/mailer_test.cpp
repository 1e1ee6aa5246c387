// The mailer against a real SMTP server: tests/tools/smtp_sink.py.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "enrolment/mailer.hpp"
#include "world.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::enrolment;
using namespace nimes::gateway::enrolment::test;

namespace {

class Sink {
  public:
    Sink() {
        std::string name = (std::filesystem::temp_directory_path() / "nimes-sink-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        folder_ = name;
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        pid_ = fork();
        REQUIRE(pid_ >= 0);
        if (pid_ == 0) {
            dup2(ends[1], STDOUT_FILENO);
            close(ends[0]);
            close(ends[1]);
            execl("/usr/bin/python3", "python3", NIMES_SMTP_SINK, folder_.c_str(), nullptr);
            _exit(127);
        }
        close(ends[1]);
        std::string line;
        for (char c = 0; read(ends[0], &c, 1) == 1 && c != '\n';) line += c;
        close(ends[0]);
        REQUIRE_FALSE(line.empty());
        url = "smtp://127.0.0.1:" + line;
    }
    ~Sink() {
        kill(pid_, SIGTERM);
        waitpid(pid_, nullptr, 0);
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;

    // Waits for the n-th mail, from 1.
    std::string mail(int n) const {
        char name[16];
        std::snprintf(name, sizeof name, "%06d.eml", n);
        for (int i = 0; i < 2'000; ++i) {
            if (std::ifstream file(folder_ / name, std::ios::binary); file) {
                std::ostringstream text;
                text << file.rdbuf();
                return text.str();
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        FAIL("no mail");
        return {};
    }

    std::string url;

  private:
    std::filesystem::path folder_;
    pid_t pid_ = -1;
};

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
}

}  // namespace

TEST_CASE("a code reaches the SMTP server with one sender, one recipient, and alone on its line") {
    Sink sink;
    SystemClock clock;
    SystemRandom random;
    operations::Metrics metrics("test", "test");
    operations::Log log(clock, operations::Level::error);
    Mailer mailer({sink.url, "nimes@polizei.example", "", "", {}}, clock, random, metrics, log);
    mailer.start();
    mailer.send_code(address(kAnna), "01234567");
    const auto mail = sink.mail(1);
    CHECK(count(mail, "X-Envelope-To: ") == 1);
    CHECK(mail.find("X-Envelope-From: nimes@polizei.example\r\nX-Envelope-To: a.meyer@polizei.example\r\n") == 0);
    CHECK(count(mail, "\r\nTo: <a.meyer@polizei.example>\r\n") == 1);
    CHECK(count(mail, "\r\n    0123-4567\r\n") == 1);
    CHECK(count(mail, "\r\nMessage-ID: <") == 1);
    mailer.send_code(address(kBernd), "76543210");
    CHECK(count(sink.mail(2), "X-Envelope-To: b.meyer@polizei.example\r\n") == 1);
    mailer.stop();
    CHECK(metrics.text().find("nimes_mails_total{result=\"sent\"} 2") != std::string::npos);
}

TEST_CASE("no address can add a header or a recipient") {
    for (const auto* text : {"a@polizei.example\r\nBcc: eve@x.example", "a\n@polizei.example", "a b@polizei.example",
                             "a@polizei.example>,<eve@x.example", "<a@polizei.example>"})
        CHECK_FALSE(ServiceAddress::parse(text));
    const auto mail = code_mail("nimes@polizei.example", address("a.b+c@polizei.example"), "01234567", kStart, "ab12");
    const auto head = mail.substr(0, mail.find("\r\n\r\n"));
    CHECK(head.find("Date: Thu, 28 May 2026 20:26:40 +0000") != std::string::npos);
    CHECK(count(head + "\r\n", "\r\n") == 9);
    CHECK(count(head, "@polizei.example>") == 3);
    CHECK(head.find("01234567") == std::string::npos);
    CHECK(head.find("0123-4567") == std::string::npos);
    CHECK(count(mail, "\n") == count(mail, "\r\n"));
}
