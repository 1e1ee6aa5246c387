#include "engine/chains.hpp"

namespace nimes::agent::engine {
namespace {

using container::Column;
using container::Table;
using container::Transaction;
using sealing::ReceivingChain;
using sealing::SendingChain;

template <class Chain, class IdType>
Result<std::optional<Chain>> find(Transaction& tx, Table table, const IdType& id) {
    auto row = tx.get(table, to_bytes(id.view()));
    if (!row) return pass(row);
    if (!*row) return std::optional<Chain>{};
    auto chain = Chain::parse((*row)->value);
    if (!chain) return pass(chain);
    return std::optional(std::move(*chain));
}

}  // namespace

Bytes owner_of(const DeviceId& device, const ConversationId& conversation, bool resend) {
    return std::move(Writer().id(device).id(conversation).u8(resend ? 1 : 0)).take();
}

Result<std::optional<ReceivingChain>> find_receiving(Transaction& tx, const ChainId& id) {
    return find<ReceivingChain>(tx, Table::recv_chains, id);
}

Result<void> put_receiving(Transaction& tx, const ReceivingChain& chain, Millis retention) {
    auto bytes = chain.encode();
    const auto owner = owner_of(chain.device, chain.conversation, chain.resend);
    auto put = tx.put(Table::recv_chains, to_bytes(chain.id.view()), bytes,
                      {container::expiry_day_of(chain.expires + retention), {Column{kColumnOwner, owner}}});
    sodium_memzero(bytes.data(), bytes.size());
    if (!put) return pass(put);
    return {};
}

Result<std::optional<SendingChain>> find_sending(Transaction& tx, const ConversationId& conversation) {
    return find<SendingChain>(tx, Table::send_chains, conversation);
}

Result<void> put_sending(Transaction& tx, const SendingChain& chain) {
    auto bytes = chain.encode();
    auto put = tx.put(Table::send_chains, to_bytes(chain.conversation.view()), bytes);
    sodium_memzero(bytes.data(), bytes.size());
    if (!put) return pass(put);
    return {};
}

}  // namespace nimes::agent::engine
