// What came while the container was locked, put aside as it came.
//
// The table is not sealed: what no door has written (another lane, no number) is not read, for it would be
// acknowledged, or could not be erased, by what it is read as.
#include "container/impl.hpp"

namespace nimes::agent::container {

Result<void> Container::put_arrivals(std::span<const Arrival> arrivals, std::uint32_t expiry_day) {
    if (state() == State::shut || impl_->gone) return fail(Errc::locked);
    if (impl_->store.alive) return fail(Errc::busy, "a transaction of the container is open");
    auto& db = *impl_->db;
    if (auto begun = db.begin(); !begun) return begun;
    auto put = db.query("INSERT OR IGNORE INTO arrivals(lane, sequence, expiry_day, envelope) VALUES(?, ?, ?, ?)");
    for (const auto& arrival : arrivals) {
        if (!put) break;
        put->again();
        put->bind(arrival.lane).bind(arrival.sequence).bind(expiry_day).bind(arrival.envelope);
        if (auto done = put->run(); !done) {
            db.rollback();
            return done;
        }
    }
    auto done = put ? db.commit() : Result<void>(pass(put));
    if (!done) db.rollback();
    return done;
}

Result<std::vector<Arrival>> Container::arrivals(std::size_t limit) {
    if (state() == State::shut || impl_->gone) return fail(Errc::locked);
    auto query = impl_->db->query(
        "SELECT lane, sequence, envelope FROM arrivals WHERE lane BETWEEN 1 AND 3 AND typeof(sequence) = 'integer' "
        "ORDER BY lane, sequence LIMIT ?");
    if (!query) return pass(query);
    query->bind(limit);
    std::vector<Arrival> out;
    for (;;) {
        auto row = query->step();
        if (!row) return pass(row);
        if (!*row) return out;
        out.push_back({static_cast<std::uint8_t>(query->integer(0)), query->integer(1), to_bytes(query->blob(2))});
    }
}

Result<std::map<std::uint8_t, std::uint64_t>> Container::arrival_marks() {
    if (state() == State::shut || impl_->gone) return fail(Errc::locked);
    auto query = impl_->db->query(
        "SELECT lane, max(sequence) FROM arrivals WHERE lane BETWEEN 1 AND 3 AND typeof(sequence) = 'integer' "
        "GROUP BY lane");
    if (!query) return pass(query);
    std::map<std::uint8_t, std::uint64_t> out;
    for (;;) {
        auto row = query->step();
        if (!row) return pass(row);
        if (!*row) return out;
        out[static_cast<std::uint8_t>(query->integer(0))] = query->integer(1);
    }
}

Result<void> Container::erase_arrivals(std::uint8_t lane, std::uint64_t sequence) {
    if (state() == State::shut || impl_->gone) return fail(Errc::locked);
    auto query = impl_->db->query("DELETE FROM arrivals WHERE lane = ? AND sequence <= ?");
    if (!query) return pass(query);
    return query->bind(lane).bind(sequence).run();
}

}  // namespace nimes::agent::container
