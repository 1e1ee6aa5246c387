// What must hold after every crash (FORMATS.md 2.7 "Sender order", "Receiver order"; invariants 4, 5, 6, 10).
#include <algorithm>

#include "engine/chains.hpp"
#include "media/incoming.hpp"
#include "story.hpp"

namespace nimes::test {

using agent::container::Table;
using agent::conversation::Media;
using agent::conversation::Text;
using agent::engine::HeldItem;
using agent::engine::MediumItem;
using agent::engine::MessageState;
using agent::engine::StoredMessage;
using agent::sealing::ReceivingChain;
using agent::sealing::SendingChain;

namespace {

std::vector<StoredMessage> messages_of(Handset& handset) {
    std::vector<StoredMessage> out;
    for (const auto& row : handset.rows(Table::messages)) out.push_back(StoredMessage::parse(row.value).value());
    return out;
}

const StoredMessage* find(const std::vector<StoredMessage>& all, const MessageId& id) {
    const auto at = std::find_if(all.begin(), all.end(), [&](const StoredMessage& m) { return m.id == id; });
    return at == all.end() ? nullptr : &*at;
}

v1::Submit submit_of(const Bytes& packet) {
    v1::Up up;
    (void)up.ParseFromArray(packet.data(), static_cast<int>(packet.size()));
    return up.submit();
}

}  // namespace

std::vector<std::string> Story::look() {
    std::vector<std::string> wrong;
    for (std::size_t who = 0; who < 2; ++who) {
        look_at_sent(who, wrong);
        look_at_received(who, wrong);
        look_at_chains(who, wrong);
        look_at_keys(who, wrong);
    }
    look_at_wire(wrong);
    return wrong;
}

// A text is there with its ciphertext on the way, or neither is; and it is there once its sender was told so.
void Story::look_at_sent(std::size_t who, std::vector<std::string>& wrong) {
    const auto rows = messages_of(handsets_[who]);
    const auto waiting = handsets_[who].waiting();
    for (std::uint8_t n = 1; n <= kTexts; ++n) {
        if (sender_of(n) != who) continue;
        const auto name = "message " + std::to_string(n);
        const bool row = find(rows, id_of(n)) != nullptr;
        const bool left =
            post_.has(who, id_of(n)) ||
            std::any_of(waiting.begin(), waiting.end(), [&](const auto& item) { return item.id == id_of(n); });
        if (row != left) wrong.push_back(name + (row ? " is kept and never leaves" : " leaves and is not kept"));
        if (!row && post_.noted("told " + std::to_string(n))) wrong.push_back(name + " is lost");
    }
}

// What was acknowledged is opened, or held until its key comes, or its sender was asked for it and will say it again.
void Story::look_at_received(std::size_t who, std::vector<std::string>& wrong) {
    const auto rows = messages_of(handsets_[who]);
    std::set<std::string> held;
    for (const auto& row : handsets_[who].rows(Table::held)) {
        const auto item = HeldItem::parse(row.value);
        if (item) held.insert(item->envelope.message_id());
    }
    for (const auto& envelope : post_.everything(who)) {
        if (envelope.sequence() > post_.acknowledged(who) || !envelope.has_message()) continue;
        const auto id = MessageId::from(as_bytes(envelope.message_id()));
        if (id.bytes[0] > kTexts || id != id_of(id.bytes[0])) continue;  // sent again, under an id of its own
        const auto* row = find(rows, id);
        const bool opened =
            row != nullptr && (row->state == MessageState::opened || row->state == MessageState::awaited);
        if (!opened && !held.contains(envelope.message_id()))
            wrong.push_back("message " + std::to_string(id.bytes[0]) + " was acknowledged and is gone");
    }
}

// A chain stands where its rows say, for who seals with it and for who opens with it.
void Story::look_at_chains(std::size_t who, std::vector<std::string>& wrong) {
    const auto rows = messages_of(handsets_[who]);
    const auto count = [&](const ChainId& chain) {
        return static_cast<std::size_t>(
            std::count_if(rows.begin(), rows.end(), [&](const StoredMessage& m) { return m.chain == chain; }));
    };
    for (const auto& row : handsets_[who].rows(Table::send_chains)) {
        const auto chain = SendingChain::parse(row.value);
        if (!chain) wrong.push_back("a sending chain is damaged");
        else if (chain->index != count(chain->id)) wrong.push_back("a sending chain is not where its messages are");
    }
    for (const auto& row : handsets_[who].rows(Table::recv_chains)) {
        const auto chain = ReceivingChain::parse(row.value);
        if (!chain) wrong.push_back("a receiving chain is damaged");
        // A grant made again begins later, and a message sent again stands under the chain it came with.
        else if (chain->index - chain->skipped.size() < count(chain->id))
            wrong.push_back("a receiving chain is not where its messages are");
    }
}

// Every row opens under the keys there are, and one half alone is in the keystore.
void Story::look_at_keys(std::size_t who, std::vector<std::string>& wrong) {
    auto tx = handsets_[who].core().box->begin();
    for (std::uint32_t table = 1; table <= 30; ++table) {
        const auto rows = tx->scan(static_cast<Table>(table));
        if (!rows) wrong.push_back("table " + std::to_string(table) + ": " + rows.error().text());
    }
    const auto keystore = handsets_[who].home() / "keystore";
    const auto halves =
        int{std::filesystem::exists(keystore / "half-0")} + int{std::filesystem::exists(keystore / "half-1")};
    if (halves != 1) wrong.push_back(std::to_string(halves) + " halves in the keystore");
}

// Never two different messages at one place of a chain: they would share a key.
void Story::look_at_wire(std::vector<std::string>& wrong) {
    auto all = post_.submissions();
    for (std::size_t who = 0; who < 2; ++who)
        for (auto& item : handsets_[who].waiting()) all.emplace_back(who, std::move(item.up));
    std::map<std::pair<ChainId, std::uint32_t>, std::string> sealed;
    for (const auto& [who, packet] : all) {
        const auto submit = submit_of(packet);
        if (!submit.has_message()) continue;
        const auto wire = WireMessage::parse(as_bytes(submit.message())).value();
        const auto [at, fresh] = sealed.emplace(std::pair(wire.header.chain, wire.header.index), submit.message());
        if (!fresh && at->second != submit.message()) wrong.push_back("two messages at one place of a chain");
    }
    if (post_.noted("a retry sent other bytes")) wrong.push_back("a retry sent other bytes");
}

std::vector<std::string> Story::judge() {
    auto wrong = look();
    for (std::size_t who = 0; who < 2; ++who) {
        std::map<std::uint8_t, int> seen;
        const auto shown = agent::engine::messages_after(handsets_[who].core(), 0, 1'000);
        if (!shown) return {"nothing can be shown: " + shown.error().text()};
        for (const auto& m : *shown) {
            std::string text;
            if (const auto* t = std::get_if<Text>(&m.meaning)) text = t->text;
            if (const auto* t = std::get_if<Media>(&m.meaning)) text = t->caption;
            for (std::uint8_t n = 1; n <= kTexts; ++n)
                if (text == text_of(n) && m.message.id == id_of(n)) ++seen[n];
        }
        for (std::uint8_t n = 1; n <= kTexts; ++n)
            if (seen[n] != 1)
                wrong.push_back("message " + std::to_string(n) + " is shown " + std::to_string(seen[n]) + " times to " +
                                std::to_string(who));
        if (!handsets_[who].waiting().empty()) wrong.push_back("something stays in the outbox");
        if (!handsets_[who].rows(Table::held).empty()) wrong.push_back("something stays held");
    }
    look_at_medium(wrong);
    return wrong;
}

// The photo that the message names is on its sender's disk, whole, and both can open it.
void Story::look_at_medium(std::vector<std::string>& wrong) {
    for (auto& handset : handsets_) {
        const auto shown = agent::engine::messages_after(handset.core(), 0, 1'000).value();
        for (const auto& m : shown) {
            const auto* medium = std::get_if<Media>(&m.meaning);
            if (medium == nullptr) continue;
            bool known = false;
            for (const auto& row : handset.rows(Table::media))
                known = known || row.key == to_bytes(medium->ref.blob.view());
            if (!known) wrong.push_back("a medium whose message is here cannot be opened");
            const auto sealed = agent::media::sealed_path(handsets_[kAnna].home() / "media", medium->ref.blob);
            std::error_code none;
            if (std::filesystem::file_size(sealed, none) < 3'000 || none)
                wrong.push_back("the sealed file of a message is not whole");
        }
    }
}

}  // namespace nimes::test
