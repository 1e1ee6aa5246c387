// An HTTPS answer as the gateway, or who plays it, sends it: a head of lines, an empty line, a body. The first byte
// says what was asked. Whatever comes, memory is bounded, numbers are numbers, and a range begins where it says.
#include <cstdlib>

#include "transport/https_answer.hpp"
#include "transport/range_download.hpp"

using namespace nimes;
using namespace nimes::agent::transport;

namespace {

constexpr std::size_t kMaxBody = 2'000;

void check_numbers(const HttpsAnswer& answer) {
    if (answer.status != 0 && (answer.status < 100 || answer.status > 999)) std::abort();
    if (answer.retry_after_s() > 3'600) std::abort();
    for (const auto* name : {"upload-offset", "upload-length", "content-length"})
        if (const auto number = answer.number(name)) {
            const auto text = answer.header(name);
            const auto digits = std::to_string(*number);
            if (!text.ends_with(digits) || text.find_first_not_of("0123456789") != std::string_view::npos) std::abort();
        }
    const auto range = answer.header("content-range");
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{200}, std::uint64_t{UINT64_MAX}})
        if (const auto start = range_start(range, size))
            if (!range.starts_with("bytes ") || range.find(std::to_string(*start) + "-") == std::string_view::npos ||
                !range.ends_with("/" + std::to_string(size)))
                std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    HttpsRequest request;
    std::uint64_t written = 0;
    if ((data[0] & 1) != 0) {
        request.writer_limit = kMaxBody;
        request.writer = [&](ByteView bytes) -> Result<void> {
            written += bytes.size();
            return {};
        };
    }
    AnswerBuilder builder(request, kMaxBody);
    auto rest = as_text({data + 1, size - 1});
    bool in_head = true;
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n') + 1);
        const auto piece = line.empty() ? rest : line;
        rest.remove_prefix(piece.size());
        const auto taken = in_head ? builder.header_line(piece) : builder.body(as_bytes(piece));
        if (!taken) return 0;
        if (in_head && (piece == "\n" || piece == "\r\n")) in_head = false;
    }
    const auto answer = std::move(builder).finish();
    if (!answer) return 0;
    if (answer->body.size() > kMaxBody || written > kMaxBody) std::abort();
    check_numbers(*answer);
    (void)error_of(*answer);
    return 0;
}
