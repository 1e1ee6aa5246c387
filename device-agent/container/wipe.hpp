// The end of a home: what Container::wipe() does step by step, and what a start does that finds one half done
// (FORMATS.md 2.13, "Wipe", steps 2 and 3).
//
// HOME/wiping is on the disk before the first key goes: whoever starts then goes on to the end, and finds an
// unprovisioned home. Only files that this program makes are removed. Threads: the home's owner, which holds the lock.
// Errors: none that would stop it; the answers say what remained.
#pragma once

#include <filesystem>

#include "container/keystore.hpp"

namespace nimes::agent::container {

bool wipe_begun(const std::filesystem::path& home);
// A full disk may refuse the mark; the wipe goes on without.
void mark_wipe(const std::filesystem::path& home);
// Both halves and the lease: from here nothing is readable. False when one could not be erased.
[[nodiscard]] bool erase_keys(Keystore& keystore);
// Database, media and what else lies in a home; the mark last, and only once the keys are erased. False when a file
// remains.
[[nodiscard]] bool remove_files(const std::filesystem::path& home, Keystore& keystore, bool keys_erased);
// For a start: goes on with a wipe that a power cut interrupted.
void finish_wipe(const std::filesystem::path& home, Keystore& keystore);

}  // namespace nimes::agent::container
