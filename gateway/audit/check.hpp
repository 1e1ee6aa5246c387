// Does an exported audit hold together? Line by line, without the gateway, its store or its keys.
//
// Finds an entry that was changed, removed, put elsewhere or slipped in, and a file that lost its end. Whoever rewrites
// everything behind a place, head and all, is found by a head that was noted before: give it to the constructor.
// Pure; one thread. Errors: Errc::proof_invalid, which says where and what; Errc::malformed for a line that is none.
#pragma once

#include <optional>

#include "audit/log.hpp"

namespace nimes::gateway::audit {

class Check {
  public:
    // `known`: the hash of any entry, as it was noted at its time.
    explicit Check(const std::optional<Digest>& known = {}) : known_(known) {}
    Result<void> take(std::string_view line);  // without its end
    struct Sound {
        Head head;
        std::optional<std::uint64_t> known_at;  // the entry that `known` is the hash of
    };
    Result<Sound> finish() const;  // after the last line

  private:
    Result<void> take_head(const nlohmann::json& line);

    Head head_;
    bool ended_ = false;
    std::optional<Digest> known_;
    std::optional<std::uint64_t> known_at_;
};

}  // namespace nimes::gateway::audit
