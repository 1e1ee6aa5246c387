// Headers of uploads and downloads, and the roster's CSV: text from outside that is cut into parts.
#include <cstdlib>

#include "admin/csv.hpp"
#include "admin/roster.hpp"
#include "media/ranges.hpp"
#include "media/upload_head.hpp"

using namespace nimes;
using namespace nimes::gateway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto creation =
        media::read_creation(http::Headers().set("Upload-Length", "10").set("Upload-Metadata", text), 100);
    if (creation && creation->length != 10) std::abort();
    if (const auto range = media::read_range(text, 1'000); range && *range)
        if ((*range)->length == 0 || (*range)->first + (*range)->length > 1'000) std::abort();
    (void)media::read_number(text);
    static const admin::RosterRules rules{{"polizei.example"}, {"Celle"}};
    admin::CsvRoster roster(text);
    if (const auto people = admin::read_roster(roster, rules))
        for (const auto& person : *people)
            if (person.address.domain() != "polizei.example" || person.unit != "Celle") std::abort();
    return 0;
}
