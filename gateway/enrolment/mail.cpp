#include "enrolment/mail.hpp"

#include <array>
#include <chrono>

#include "nimes/encoding.hpp"

namespace nimes::gateway::enrolment {
namespace {

std::string two(std::int64_t n) {
    auto out = std::to_string(n);
    if (out.size() < 2) out.insert(out.begin(), '0');
    return out;
}

// ASCII alone, so that every server takes it as it is. The code stands alone on its line, for people and programs.
std::string text(const CodeMail& mail) {
    const auto minutes = std::to_string((mail.expires - mail.written) / kMinute);
    return "Ihr Code lautet:\r\n\r\n    " + mail.code + "\r\n\r\n" +  //
           "Er gilt " + minutes + " Minuten, einmal, und nur dort, wo Sie ihn angefordert haben.\r\n" +
           "Geben Sie ihn niemals weiter, auch nicht an Ihre IT. Haben Sie keinen Code\r\n"
           "angefordert, melden Sie das bitte Ihrer IT.\r\n"
           "\r\n--------\r\n\r\n" +
           "Above is your code. It is valid for " + minutes + " minutes, once, and only where you\r\n" +
           "asked for it. Never hand it on, not even to your IT. If you did not ask for a code,\r\n"
           "please tell your IT.\r\n";
}

}  // namespace

std::string rfc5322_date(Millis ms) {
    using namespace std::chrono;
    constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const sys_seconds at{seconds(ms / kSecond)};
    const auto day = floor<days>(at);
    const year_month_day date(day);
    const hh_mm_ss time(at - day);
    std::string out(kDays[weekday(day).c_encoding()]);
    out += ", " + two(static_cast<unsigned>(date.day())) + " ";
    out += kMonths[static_cast<unsigned>(date.month()) - 1];
    out += " " + std::to_string(static_cast<int>(date.year())) + " " + two(time.hours().count()) + ":" +
           two(time.minutes().count()) + ":" + two(time.seconds().count()) + " +0000";
    return out;
}

std::string compose(const CodeMail& mail, const ServiceAddress& sender, ByteView id) {
    std::string out;
    out += "Date: " + rfc5322_date(mail.written) + "\r\n";
    out += "From: nimes <" + sender.text() + ">\r\n";
    out += "To: <" + mail.to.text() + ">\r\n";
    out += "Message-ID: <" + to_hex(id) + "@" + std::string(sender.domain()) + ">\r\n";
    out += "Subject: Ihr Code / Your code\r\n";
    out += "Auto-Submitted: auto-generated\r\n";
    out += "MIME-Version: 1.0\r\n";
    out += "Content-Type: text/plain; charset=us-ascii\r\n";
    out += "Content-Transfer-Encoding: 7bit\r\n";
    return out + "\r\n" + text(mail);
}

}  // namespace nimes::gateway::enrolment
