// The audit on the command line: exported, and checked without the gateway.
#include <cstdio>
#include <fstream>
#include <iostream>

#include "audit/check.hpp"
#include "cli/admin_parts.hpp"
#include "nimes/encoding.hpp"

namespace nimes::gateway::cli {
namespace {

Result<audit::Head> head_of(const Json& answer) {
    const auto bytes = from_hex(answer.value("hash", ""));
    if (!bytes || bytes->size() != Digest::size) return fail(Errc::malformed, "the gateway's answer names no head");
    return audit::Head{answer.value("seq", std::uint64_t{0}), Digest::from(*bytes)};
}

Result<void> show_head(const Admin& a) {
    return show(
        a, [](AdminClient& c) { return c.get("/v1/admin/audit/head"); },
        [](const Json& head) {
            std::cout << "entry " << head.value("seq", std::uint64_t{0}) << ", head " << head.value("hash", "")
                      << "\nnote it elsewhere: `admin audit verify FILE --head` finds by it what was rewritten since\n";
        });
}

// Up to the head as it was at the beginning, so that an export ends while others go on.
Result<audit::Head> write_lines(AdminClient& client, std::ostream& out) {
    auto answer = client.get("/v1/admin/audit/head");
    if (!answer) return pass(answer);
    auto head = head_of(*answer);
    if (!head) return head;
    for (std::uint64_t next = 1; next <= head->seq;) {
        auto page = client.get("/v1/admin/audit?from=" + std::to_string(next));
        if (!page) return pass(page);
        const auto lines = (*page)["lines"].get<std::vector<std::string>>();
        if (lines.empty()) return fail(Errc::storage, "the audit ends before its head");
        for (const auto& line : lines) {
            if (next > head->seq) break;
            out << line << '\n';
            ++next;
        }
    }
    out << audit::head_line(*head, SystemClock().now()) << '\n';
    return head;
}

Result<void> export_all(const Admin& a) {
    auto client = a.client();
    if (!client) return pass(client);
    std::ofstream file;
    if (!a.file.empty()) file.open(a.file, std::ios::binary | std::ios::trunc);
    auto& out = a.file.empty() ? std::cout : file;
    auto head = write_lines(*client, out);
    if (!head) return pass(head);
    if (!out.flush()) return fail(Errc::usage, "cannot write " + a.file);
    std::cerr << head->seq << " entries, head " << to_hex(head->hash.view()) << '\n';
    return {};
}

Result<audit::Check::Sound> check(const Admin& a) {
    std::optional<Digest> known;
    if (!a.head.empty()) {
        const auto bytes = from_hex(a.head);
        if (!bytes || bytes->size() != Digest::size) return fail(Errc::usage, "--head has 64 hex digits");
        known = Digest::from(*bytes);
    }
    std::ifstream in(a.file, std::ios::binary);
    if (!in) return fail(Errc::usage, "cannot read " + a.file);
    audit::Check check(known);
    for (std::string line; std::getline(in, line);)
        if (auto ok = check.take(line); !ok) return pass(ok);
    return check.finish();
}

Result<void> verify(const Admin& a) {
    auto sound = check(a);
    if (!sound) {
        if (a.json) print_line(Json{{"sound", false}, {"problem", sound.error().detail}}.dump());
        return pass(sound);
    }
    const auto hash = to_hex(sound->head.hash.view());
    if (a.json) {
        Json out{{"sound", true}, {"entries", sound->head.seq}, {"head", hash}};
        if (sound->known_at) out["known_at"] = *sound->known_at;
        print_line(out.dump());
        return {};
    }
    std::cout << "sound: " << sound->head.seq << " entries, head " << hash << '\n';
    if (sound->known_at)
        std::cout << "the head that you gave is entry " << *sound->known_at << ": nothing up to it was changed since\n";
    else std::cout << "nothing is known of whether all of it was rewritten: give --head, as you noted it before\n";
    return {};
}

}  // namespace

void add_audit_verbs(CLI::App& admin, const Shared& a, Chosen& chosen) {
    auto* audit = admin.add_subcommand("audit", "Who did what to whom, and why");
    audit->require_subcommand(1)->fallthrough();
    audit->footer(
        "Each entry names the hash of the one before: sha256sum of its line, without the line's end.\n"
        "Examples:\n  nimes-gateway admin audit export --out audit.jsonl\n"
        "  nimes-gateway admin audit verify audit.jsonl --head 5d41…\n"
        "  nimes-gateway admin audit head");
    verb(*audit, a, chosen, "head", "Number and hash of the newest entry; note them where no administrator writes",
         show_head);
    verb(*audit, a, chosen, "export", "All entries, one JSON object a line, and the head as the last", export_all)
        ->add_option("--out", a->file, "File to write; standard output without it");
    auto* check =
        verb(*audit, a, chosen, "verify", "Was anything in an export changed, removed, moved or cut off?", verify);
    check->add_option("FILE", a->file, "An export; no gateway need run")->required();
    check->add_option("--head", a->head,
                      "Hash of any entry, as it was noted at its time: finds what was rewritten whole");
}

}  // namespace nimes::gateway::cli
