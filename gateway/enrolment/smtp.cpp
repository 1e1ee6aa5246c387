#include "enrolment/smtp.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>

#include "nimes/time.hpp"

namespace nimes::gateway::enrolment {
namespace {

// libcurl counts these itself, from any thread.
class CurlLibrary {
  public:
    CurlLibrary() : ready_(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {}
    ~CurlLibrary() {
        if (ready_) curl_global_cleanup();
    }
    CurlLibrary(const CurlLibrary&) = delete;
    CurlLibrary& operator=(const CurlLibrary&) = delete;
    [[nodiscard]] bool ready() const { return ready_; }

  private:
    bool ready_;
};

struct EasyCloser {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListCloser {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t feed(char* into, std::size_t size, std::size_t count, void* from) {
    auto& left = *static_cast<std::string_view*>(from);
    const auto n = std::min(size * count, left.size());
    std::memcpy(into, left.data(), n);
    left.remove_prefix(n);
    return n;
}

std::size_t discard(char*, std::size_t size, std::size_t count, void*) { return size * count; }

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<void> check(const SmtpOptions& options) {
    if (!options.url.starts_with("smtp://") && !options.url.starts_with("smtps://"))
        return fail(Errc::bad_config, "smtp.url begins with smtp:// or smtps://");
    if (has_control(options.url) || has_control(options.user) || has_control(options.password))
        return fail(Errc::bad_config, "smtp: control characters");
    if (options.user.empty() != options.password.empty())
        return fail(Errc::bad_config, "smtp: user and password go together");
    return {};
}

}  // namespace

struct SmtpTransport::Impl {
    Impl(SmtpOptions o, ServiceAddress s, RandomSource& r)
        : options(std::move(o)), sender(std::move(s)), random(r), easy(curl_easy_init()) {}

    bool configure();
    [[nodiscard]] Result<void> judge(CURLcode code) const;

    const SmtpOptions options;
    const ServiceAddress sender;
    RandomSource& random;
    const CurlLibrary library;  // before, and so longer than, the handle
    const std::unique_ptr<CURL, EasyCloser> easy;
};

bool SmtpTransport::Impl::configure() {
    bool ok = true;
    const auto set = [&](CURLoption option, auto value) {
        ok = ok && curl_easy_setopt(easy.get(), option, value) == CURLE_OK;
    };
    const bool demanded = !options.user.empty() || !options.ca.empty();
    set(CURLOPT_URL, options.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    set(CURLOPT_USE_SSL, static_cast<long>(demanded ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT, options.connect_seconds);
    set(CURLOPT_TIMEOUT, options.total_seconds);
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, &feed);
    set(CURLOPT_WRITEFUNCTION, &discard);
    if (!options.ca.empty()) set(CURLOPT_CAINFO, options.ca.c_str());
    if (!options.user.empty()) {
        set(CURLOPT_USERNAME, options.user.c_str());
        set(CURLOPT_PASSWORD, options.password.c_str());
    }
    return ok;
}

Result<void> SmtpTransport::Impl::judge(CURLcode code) const {
    if (code == CURLE_OK) return {};
    long answer = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &answer);
    auto detail = "curl " + std::to_string(static_cast<int>(code)) + ", smtp " + std::to_string(answer);
    // A 5xx to the login is a fault of our configuration, which may be mended while the mail waits.
    if (answer >= 500 && answer < 600 && code != CURLE_LOGIN_DENIED && code != CURLE_USE_SSL_FAILED)
        return fail(Errc::forbidden, std::move(detail));
    return fail(Errc::unavailable, std::move(detail));
}

SmtpTransport::SmtpTransport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SmtpTransport::~SmtpTransport() = default;

Result<std::unique_ptr<SmtpTransport>> SmtpTransport::create(SmtpOptions options, RandomSource& random) {
    if (auto ok = check(options); !ok) return pass(ok);
    auto sender = ServiceAddress::parse(options.sender);
    if (!sender) return fail(Errc::bad_config, "smtp.sender is no service address");
    auto impl = std::make_unique<Impl>(std::move(options), std::move(*sender), random);
    if (!impl->library.ready() || !impl->easy) return fail(Errc::internal, "libcurl does not start");
    if (!impl->configure()) return fail(Errc::bad_config, "libcurl refuses the SMTP settings");
    return std::unique_ptr<SmtpTransport>(new SmtpTransport(std::move(impl)));
}

Result<void> SmtpTransport::send(const CodeMail& mail) {
    ByteArray<16> id{};
    impl_->random.fill(id);
    const auto text = compose(mail, impl_->sender, id);
    std::string_view left(text);
    const auto from = "<" + impl_->sender.text() + ">";
    const auto to = "<" + mail.to.text() + ">";
    const std::unique_ptr<curl_slist, ListCloser> recipients(curl_slist_append(nullptr, to.c_str()));
    if (!recipients) return fail(Errc::internal, "no memory");
    auto* easy = impl_->easy.get();
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from.c_str());
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients.get());
    curl_easy_setopt(easy, CURLOPT_READDATA, &left);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(text.size()));
    auto out = impl_->judge(curl_easy_perform(easy));
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, nullptr);  // it must not keep what dies here
    curl_easy_setopt(easy, CURLOPT_READDATA, nullptr);
    return out;
}

}  // namespace nimes::gateway::enrolment
