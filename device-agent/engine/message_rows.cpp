#include "engine/message_rows.hpp"

namespace nimes::agent::engine {
namespace {

using container::Column;
using container::Row;
using container::Table;
using container::Transaction;

constexpr std::uint32_t kColumnChain = 1, kColumnDigest = 2, kColumnDue = 2;  // kColumnDue + Due: one column each

Bytes due_value() { return {1}; }
std::uint32_t column_of(Due what) { return kColumnDue + static_cast<std::uint32_t>(what); }

Result<MessageRow> read(const Row& row) {
    auto message = StoredMessage::parse(row.value);
    if (!message) return pass(message);
    return MessageRow{row.id, row.expiry_day, std::move(*message)};
}

Result<std::vector<MessageRow>> read_all(const Result<std::vector<Row>>& rows) {
    if (!rows) return fail(rows.error().code, rows.error().detail);
    std::vector<MessageRow> out;
    for (const auto& row : *rows) {
        auto message = read(row);
        if (!message) return pass(message);
        out.push_back(std::move(*message));
    }
    return out;
}

Result<std::optional<MessageRow>> read_one(const Result<std::optional<Row>>& row) {
    if (!row) return fail(row.error().code, row.error().detail);
    if (!*row) return std::optional<MessageRow>{};
    auto message = read(**row);
    if (!message) return pass(message);
    return std::optional(std::move(*message));
}

}  // namespace

Result<std::uint64_t> put_message(Transaction& tx, const StoredMessage& message, std::uint32_t expiry_day) {
    container::PutOptions options{expiry_day, {}};
    const auto yes = due_value();
    if (!message.chain.is_zero()) options.columns.push_back({kColumnChain, message.chain.view()});
    if (message.digest != ByteArray<16>{}) options.columns.push_back({kColumnDigest, message.digest});
    if (message.missing_before != ByteArray<16>{}) options.columns.push_back({column_of(Due::missing), yes});
    if (message.receipt == ReceiptDue::delivered_due || message.receipt == ReceiptDue::read_due)
        options.columns.push_back({column_of(Due::receipt), yes});
    if (!message.report_to.is_zero()) options.columns.push_back({column_of(Due::report), yes});
    if (message.expires_after_s != 0 && message.shown != 0 && message.state != MessageState::vanished)
        options.columns.push_back({column_of(Due::vanish), yes});
    return tx.put(Table::messages, message.key(), message.encode(), options);
}

Result<std::optional<MessageRow>> find_message(Transaction& tx, const DeviceId& device, const MessageId& id) {
    return read_one(tx.get(Table::messages, StoredMessage::key(device, id)));
}

Result<std::optional<MessageRow>> message_at(Transaction& tx, std::uint64_t row) {
    auto rows = tx.scan(Table::messages, row, 1);
    if (!rows) return pass(rows);
    if (rows->empty() || rows->front().id != row) return std::optional<MessageRow>{};
    auto message = read(rows->front());
    if (!message) return pass(message);
    return std::optional(std::move(*message));
}

Result<std::vector<MessageRow>> messages_due(Transaction& tx, Due what, std::size_t limit) {
    const auto yes = due_value();
    return read_all(tx.find(Table::messages, Column{column_of(what), yes}, 0, limit));
}

Result<bool> has_digest(Transaction& tx, const ByteArray<16>& digest) {
    auto rows = tx.find(Table::messages, Column{kColumnDigest, digest}, 0, 1);
    if (!rows) return pass(rows);
    return !rows->empty();
}

Result<void> put_medium(Transaction& tx, const ConversationId& conversation, const conversation::MediaRef& ref,
                        std::uint32_t expiry_day) {
    const MediumItem item{conversation, ref.key.copy(), ref.plain_length, ref.padded_length, ref.digest};
    auto bytes = item.encode();
    auto put = tx.put(Table::media, to_bytes(ref.blob.view()), bytes, {expiry_day, {}});
    sodium_memzero(bytes.data(), bytes.size());
    if (!put) return pass(put);
    return {};
}

Result<std::vector<MessageRow>> messages_of_chain(Transaction& tx, const ChainId& chain) {
    return read_all(tx.find(Table::messages, Column{kColumnChain, chain.view()}));
}

}  // namespace nimes::agent::engine
