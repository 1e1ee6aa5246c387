// The head of a tus request, field by field: the first byte says what is asked, then lines of "Name: value".
#include <algorithm>
#include <cstdlib>

#include "media/checksum.hpp"
#include "media/medium_head.hpp"
#include "media/ranges.hpp"
#include "media/upload_head.hpp"

using namespace nimes;
using namespace nimes::gateway;

namespace {

constexpr std::uint64_t kMost = 1'000'000;

void demand(bool holds) {
    if (!holds) std::abort();
}

http::Headers fields(std::string_view text) {
    http::Headers out;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const auto colon = line.find(": ");
        if (colon != std::string_view::npos)
            out.add(std::string(line.substr(0, colon)), std::string(line.substr(colon + 2)));
    }
    return out;
}

// What was read is what one strict spelling says, and only fields that are there once are read.
void create(const http::Headers& headers) {
    const auto creation = media::read_creation(headers, kMost);
    if (!creation) return;
    demand(headers.count("Upload-Metadata") == 1 || (creation->partial && !creation->blob));
    demand(creation->blob || creation->partial);
    demand(headers.count("Upload-Concat") == (creation->partial || !creation->parts.empty() ? 1 : 0));
    demand(creation->parts.size() <= media::kMaxParts && !(creation->partial && !creation->parts.empty()));
    demand(headers.count("Upload-Length") == (creation->length ? 1 : 0));
    if (!creation->length) demand(!creation->parts.empty() || headers.get("Upload-Defer-Length") == "1");
    else demand(*creation->length <= kMost && media::read_number(headers.get("Upload-Length")) == *creation->length);
}

void go_on(const http::Headers& headers) {
    if (const auto late = media::read_late_length(headers); late && *late) demand(headers.count("Upload-Length") == 1);
    if (auto checksum = media::Checksum::from(headers); checksum && *checksum) {
        demand(headers.count("Upload-Checksum") == 1);
        (*checksum)->add(as_bytes(headers.get("Upload-Checksum")));
        (void)(*checksum)->fits();
    }
    const auto offset = media::read_offset(headers);
    if (!offset) return;
    demand(headers.count("Upload-Offset") == 1 && headers.count("Content-Type") == 1);
    demand(headers.get("Upload-Offset").size() <= 19);
}

void read(const http::Headers& headers) {
    for (const std::uint64_t size : {0ull, 1ull, 1'000ull, ~0ull >> 1}) {
        const auto range = media::read_range(headers.get("Range"), size);
        if (!range || !*range) continue;
        demand((*range)->length > 0 && (*range)->first < size && (*range)->length <= size - (*range)->first);
    }
    const auto list = headers.get("If-None-Match");
    if (media::names_tag(list, "\"00\"")) demand(list == "*" || list.find("\"00\"") != std::string_view::npos);
}

// Every text has one meaning: other bytes have another text.
void base64(std::string_view text) {
    const auto bytes = media::from_base64(text);
    if (!bytes) return;
    const auto pads = static_cast<std::size_t>(std::count(text.begin(), text.end(), '='));
    demand(text.size() % 4 == 0 && pads <= 2 && bytes->size() == text.size() / 4 * 3 - pads);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0]) {
        case 'c':
            create(fields(text));
            break;
        case 'p':
            go_on(fields(text));
            break;
        case 'g':
            read(fields(text));
            break;
        case 'b':
            base64(text);
            break;
        case 'h':
            if (const auto head = media::MediumHead::parse(as_bytes(text))) demand(as_text(head->encode()) == text);
            break;
        default:
            (void)media::check_version(fields(text));
    }
    return 0;
}
