// nimes-store-dump DIR: every record of a gateway's store on standard output, one a line: column, tab, the key in hex,
// tab, the value in hex; keys as gateway/store/LAYOUT.md says. Works while the gateway runs. Read only.
// Exit status: 0, 2 usage, 7 the store could not be read to its end (the table of errors, schemas/src/error.cpp).
#include <cstdio>
#include <string>

#include "nimes/encoding.hpp"
#include "store/rocksdb_dump.hpp"

namespace {

constexpr std::string_view kUsage =
    "usage: nimes-store-dump DIR\n\nWrites every record of the store in DIR: column TAB hex key TAB hex value.\n";

int usage(std::FILE* out, int status) {
    std::fwrite(kUsage.data(), 1, kUsage.size(), out);
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--help") return usage(stdout, 0);
    if (argc != 2 || argv[1][0] == '-') return usage(stderr, 2);
    bool written = true;
    const auto visited = nimes::gateway::store::visit_all(
        argv[1], [&](std::string_view column, std::string_view key, std::string_view value) {
            std::string line(column);
            line.append("\t").append(nimes::to_hex(nimes::as_bytes(key)));
            line.append("\t").append(nimes::to_hex(nimes::as_bytes(value))).append("\n");
            written = std::fwrite(line.data(), 1, line.size(), stdout) == line.size();
            return written;
        });
    written = std::fflush(stdout) == 0 && written;
    if (visited && written) return 0;
    const auto error = visited ? nimes::Error{nimes::Errc::storage, "cannot write"} : visited.error();
    std::fprintf(stderr, "error: %s\nhint: %s\n", error.text().c_str(), std::string(error.row().hint).c_str());
    return error.row().exit;
}
