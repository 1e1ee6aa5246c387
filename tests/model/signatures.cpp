// A signature is verified once in the process, not once by each handset and the gateway: a third of a schedule's time
// was the same verifications again.
//
// Stands before libsodium's two functions in this program alone, and remembers which (signature, message, key) are
// true, by a BLAKE2b-256 of all three: those that were made here, and those that libsodium found true. Whatever is not
// among them, a single bit away or under another key, goes to libsodium; so does one in 256 of the others, and a memory
// that is wrong ends the program. Threads: one.
#include <dlfcn.h>
#include <sodium.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <set>

namespace {

constexpr std::size_t kMost = 200'000;  // then it begins anew
constexpr unsigned kSample = 256;

using Known = std::array<unsigned char, 32>;
using Sign = int (*)(unsigned char*, unsigned long long*, const unsigned char*, unsigned long long,
                     const unsigned char*);
using Verify = int (*)(const unsigned char*, const unsigned char*, unsigned long long, const unsigned char*);

template <class Function>
Function libsodium(const char* name) {
    void* const at = dlsym(RTLD_NEXT, name);
    if (at == nullptr) std::abort();
    return reinterpret_cast<Function>(at);
}

std::set<Known>& memory() {
    static std::set<Known> known;
    return known;
}

Known name_of(const unsigned char* sig, const unsigned char* m, unsigned long long length, const unsigned char* pk) {
    crypto_generichash_state state;
    Known out;
    crypto_generichash_init(&state, nullptr, 0, out.size());
    crypto_generichash_update(&state, sig, crypto_sign_BYTES);
    crypto_generichash_update(&state, pk, crypto_sign_PUBLICKEYBYTES);
    crypto_generichash_update(&state, m, length);
    crypto_generichash_final(&state, out.data(), out.size());
    return out;
}

void remember(const Known& name) {
    if (memory().size() >= kMost) memory().clear();
    memory().insert(name);
}

}  // namespace

extern "C" int crypto_sign_detached(unsigned char* sig, unsigned long long* length_of_sig, const unsigned char* m,
                                    unsigned long long length, const unsigned char* sk) {
    static const auto real = libsodium<Sign>("crypto_sign_detached");
    const int done = real(sig, length_of_sig, m, length, sk);
    if (done == 0) remember(name_of(sig, m, length, sk + crypto_sign_SEEDBYTES));
    return done;
}

extern "C" int crypto_sign_verify_detached(const unsigned char* sig, const unsigned char* m, unsigned long long length,
                                           const unsigned char* pk) {
    static const auto real = libsodium<Verify>("crypto_sign_verify_detached");
    static unsigned count = 0;
    const auto name = name_of(sig, m, length, pk);
    const bool known = memory().contains(name);
    if (known && ++count % kSample != 0) return 0;
    const int answer = real(sig, m, length, pk);
    if (known && answer != 0) {
        std::fputs("the model remembers a signature as true that is not\n", stderr);
        std::abort();
    }
    if (answer == 0) remember(name);
    return answer;
}
