// What the program frees is zeroed first: a key that went through a string, a vector or a map leaves no copy behind.
//
// Replaces the global operators new and delete of every program that links the container; allocation is malloc's as
// before. Secrets are not kept on the heap all the same (arena.hpp, Secret<N>): this is for what passes through.
#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace {

void* take(std::size_t size) {
    if (size == 0) size = 1;
    for (;;) {
        if (void* const out = std::malloc(size)) return out;
        const auto handler = std::get_new_handler();
        if (handler == nullptr) throw std::bad_alloc();
        handler();
    }
}

void* take(std::size_t size, std::align_val_t alignment) {
    const auto to = static_cast<std::size_t>(alignment);
    if (void* const out = std::aligned_alloc(to, (size + to - 1) / to * to)) return out;
    throw std::bad_alloc();
}

void wipe_and_free(void* at) noexcept {
    if (at == nullptr) return;
    explicit_bzero(at, malloc_usable_size(at));
    std::free(at);
}

}  // namespace

// Named to the linker (CMakeLists.txt): an archive's file that defines what a shared library (libstdc++, a sanitizer)
// also defines may else be left out.
extern "C" void nimes_wiped_heap() {}

void* operator new(std::size_t size) { return take(size); }
void* operator new[](std::size_t size) { return take(size); }
void* operator new(std::size_t size, std::align_val_t to) { return take(size, to); }
void* operator new[](std::size_t size, std::align_val_t to) { return take(size, to); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size == 0 ? 1 : size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size == 0 ? 1 : size); }
void operator delete(void* at) noexcept { wipe_and_free(at); }
void operator delete[](void* at) noexcept { wipe_and_free(at); }
void operator delete(void* at, std::size_t) noexcept { wipe_and_free(at); }
void operator delete[](void* at, std::size_t) noexcept { wipe_and_free(at); }
void operator delete(void* at, std::align_val_t) noexcept { wipe_and_free(at); }
void operator delete[](void* at, std::align_val_t) noexcept { wipe_and_free(at); }
void operator delete(void* at, std::size_t, std::align_val_t) noexcept { wipe_and_free(at); }
void operator delete[](void* at, std::size_t, std::align_val_t) noexcept { wipe_and_free(at); }
void operator delete(void* at, const std::nothrow_t&) noexcept { wipe_and_free(at); }
void operator delete[](void* at, const std::nothrow_t&) noexcept { wipe_and_free(at); }
