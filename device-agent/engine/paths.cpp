#include "engine/paths.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;

constexpr std::size_t kMostNetworks = 32;
constexpr std::string_view kKey = "paths";
using Row = std::pair<std::string, transport::Keepalive::Path>;

// The one used last stands first.
Result<std::vector<Row>> read(Transaction& tx) {
    auto row = tx.get(Table::settings, setting_key(kKey));
    if (!row) return pass(row);
    std::vector<Row> out;
    if (!*row) return out;
    Reader in((*row)->value);
    while (in.left() > 0) {
        Row next;
        next.first = std::string(as_text(in.take(in.u8())));
        next.second = {in.u64(), in.u64(), in.u32()};
        if (in.failed()) return fail(Errc::malformed, "networks");
        out.push_back(std::move(next));
    }
    return out;
}

}  // namespace

std::string network_key(const Key& secret, std::string_view name) {
    if (name.empty()) return {};
    return to_hex(keyed_hash("nimes/network", {as_bytes(name)}, secret.view()).view().first(8));
}

Result<Paths> load_paths(Core& core) {
    auto tx = core.box->begin();
    if (!tx) return pass(tx);
    auto rows = read(*tx);
    if (!rows) return pass(rows);
    return Paths(rows->begin(), rows->end());
}

Result<void> put_path(Core& core, const std::string& network, const transport::Keepalive::Path& path) {
    return core.transact([&](Transaction& tx) -> Result<void> {
        auto rows = read(tx);
        if (!rows) return pass(rows);
        std::erase_if(*rows, [&](const Row& row) { return row.first == network; });
        rows->insert(rows->begin(), {network, path});
        if (rows->size() > kMostNetworks) rows->resize(kMostNetworks);
        Writer out;
        for (const auto& [name, p] : *rows)
            out.u8(static_cast<std::uint8_t>(name.size())).text(name).u64(p.silence).u64(p.fell).u32(p.stood);
        auto put = tx.put(Table::settings, setting_key(kKey), out.view());
        if (!put) return pass(put);
        return {};
    });
}

}  // namespace nimes::agent::engine
