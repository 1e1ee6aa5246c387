#include "enrolment/mailer.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "nimes/encoding.hpp"

namespace nimes::gateway::enrolment {
namespace {

constexpr std::size_t kMaxQueue = 1'000;
constexpr long kTimeoutSeconds = 30;
constexpr std::chrono::seconds kPause{1};
constexpr std::chrono::seconds kNothingToDo{3'600};
constexpr Millis kRetry = 15 * kSecond;
constexpr Millis kGiveUp = 25 * kMinute;  // the code would end before it is typed

struct Mail {
    ServiceAddress to;
    std::string text;
    Millis queued = 0;
    Millis due = 0;
};

struct Upload {
    const std::string& text;
    std::size_t at = 0;
};

std::size_t read_mail(char* into, std::size_t one, std::size_t n, void* from) {
    auto& upload = *static_cast<Upload*>(from);
    const auto take = std::min(one * n, upload.text.size() - upload.at);
    std::copy_n(upload.text.data() + upload.at, take, into);
    upload.at += take;
    return take;
}

std::string rfc5322_date(Millis now) {
    const auto seconds = static_cast<std::time_t>(now / 1'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char out[64];
    std::snprintf(out, sizeof out, "%s, %02d %s %04d %02d:%02d:%02d +0000", kDays[parts.tm_wday], parts.tm_mday,
                  kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
    return out;
}

}  // namespace

Result<void> check(const MailServer& server) {
    if (!server.url.starts_with("smtp://") && !server.url.starts_with("smtps://"))
        return fail(Errc::bad_config, "smtp.url must be smtp://host:port or smtps://host:port");
    if (!ServiceAddress::parse(server.sender))
        return fail(Errc::bad_config, "smtp.sender must be one plain mail address");
    return {};
}

std::string code_mail(const std::string& sender, const ServiceAddress& to, const std::string& code, Millis now,
                      const std::string& id) {
    const auto shown = code.substr(0, 4) + "-" + code.substr(4);
    return "From: nimes <" + sender + ">\r\nTo: <" + to.text() +
           ">\r\nSubject: nimes: Ihr Code / your code\r\nDate: " + rfc5322_date(now) + "\r\nMessage-ID: <" + id + "@" +
           sender.substr(sender.find('@') + 1) +
           ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
           "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
           "Ihr Code für nimes:\r\n\r\n    " +
           shown +
           "\r\n\r\nEr gilt 30 Minuten. Wer ihn kennt, kann in Ihrem Namen ein Gerät anmelden:\r\n"
           "Geben Sie ihn nur auf Ihrem eigenen Gerät ein. Haben Sie keinen angefordert, melden Sie es\r\n"
           "Ihrer Leitstelle.\r\n\r\n-- \r\n\r\n"
           "The code above is yours for nimes, for 30 minutes. Whoever knows it can enrol a device in your\r\n"
           "name: type it on your own device only. If you did not ask for it, report it.\r\n";
}

struct Mailer::Impl {
    Impl(MailServer s, const Clock& c, RandomSource& r, const operations::Metrics& m, operations::Log& l)
        : server(std::move(s)), clock(c), random(r), metrics(m), log(l) {}

    void run();
    void step(std::unique_lock<std::mutex>& lock);
    enum class Fate : std::uint8_t { sent, later, refused };
    [[nodiscard]] Fate deliver(const Mail& mail) const;

    const MailServer server;
    const Clock& clock;
    RandomSource& random;
    const operations::Metrics& metrics;
    operations::Log& log;
    std::mutex mutex;
    std::condition_variable wake;
    std::list<Mail> queue;  // only the thread takes out
    bool stopping = false;
    std::thread thread;
};

Mailer::Mailer(MailServer server, const Clock& clock, RandomSource& random, const operations::Metrics& metrics,
               operations::Log& log)
    : impl_(std::make_unique<Impl>(std::move(server), clock, random, metrics, log)) {}
Mailer::~Mailer() { stop(); }

void Mailer::start() {
    impl_->thread = std::thread([this] { impl_->run(); });
}

void Mailer::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->wake.notify_all();
    if (impl_->thread.joinable()) impl_->thread.join();
}

void Mailer::send_code(const ServiceAddress& to, const std::string& code) {
    const auto now = impl_->clock.now();
    ByteArray<12> id{};
    impl_->random.fill(id);
    {
        const std::lock_guard lock(impl_->mutex);
        if (impl_->queue.size() >= kMaxQueue) return impl_->metrics.mails.with({"failed"}).add();
        impl_->queue.push_back({to, code_mail(impl_->server.sender, to, code, now, to_hex(id)), now, now});
    }
    impl_->wake.notify_one();
}

void Mailer::Impl::run() {
    std::unique_lock lock(mutex);
    while (!stopping) {
        try {
            step(lock);
        } catch (const std::exception&) {
            if (!lock) lock.lock();
            log.error("mailer_failed");
            wake.wait_for(lock, kPause);
        }
    }
}

// A mail leaves the queue once its fate is known: what goes wrong between delays it, and loses nothing.
void Mailer::Impl::step(std::unique_lock<std::mutex>& lock) {
    const auto now = clock.now();
    const auto mail = std::find_if(queue.begin(), queue.end(), [&](const Mail& m) { return m.due <= now; });
    if (mail == queue.end()) {
        wake.wait_for(lock, queue.empty() ? kNothingToDo : kPause);
        return;
    }
    mail->due = now + kRetry;
    lock.unlock();
    const auto fate = deliver(*mail);
    lock.lock();
    if (fate == Fate::later && now - mail->queued <= kGiveUp) return;
    queue.erase(mail);
    metrics.mails.with({fate == Fate::sent ? "sent" : "failed"}).add();
}

Mailer::Impl::Fate Mailer::Impl::deliver(const Mail& mail) const {
    const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
    auto* c = curl.get();
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> to(
        curl_slist_append(nullptr, ("<" + mail.to.text() + ">").c_str()), curl_slist_free_all);
    Upload upload{mail.text, 0};
    const auto ca = server.ca.string();
    curl_easy_setopt(c, CURLOPT_URL, server.url.c_str());
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, kTimeoutSeconds);
    curl_easy_setopt(c, CURLOPT_USE_SSL,
                     static_cast<long>(ca.empty() && server.user.empty() ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    if (!ca.empty()) curl_easy_setopt(c, CURLOPT_CAINFO, ca.c_str());
    if (!server.user.empty()) {
        curl_easy_setopt(c, CURLOPT_USERNAME, server.user.c_str());
        curl_easy_setopt(c, CURLOPT_PASSWORD, server.password.c_str());
    }
    curl_easy_setopt(c, CURLOPT_MAIL_FROM, ("<" + server.sender + ">").c_str());
    curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to.get());
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, read_mail);
    curl_easy_setopt(c, CURLOPT_READDATA, &upload);
    const auto code = curl_easy_perform(c);
    if (code == CURLE_OK) return Fate::sent;
    long reply = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &reply);
    log.warning("mail_failed", {{"curl", static_cast<int>(code)}, {"reply", static_cast<int>(reply)}});
    return reply >= 500 && reply < 600 ? Fate::refused : Fate::later;  // a final no is not asked again
}

}  // namespace nimes::gateway::enrolment
