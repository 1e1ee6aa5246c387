#include "engine/provisioning.hpp"

#include "nimes/opaque.hpp"
#include "nimes/token.hpp"
#include "nimes/v1/provisioning.pb.h"

namespace nimes::agent::engine {
namespace {

template <class IdType>
bool read_id(const std::string& from, IdType& into) {
    into = IdType::from(as_bytes(from));
    return from.size() == IdType::size;
}

}  // namespace

Result<Provisioning> Provisioning::parse(ByteView bytes) {
    const auto file = ProvisioningFile::parse(bytes);
    if (!file) return fail(file.error().code, "this is no provisioning file");
    v1::Provisioning in;
    if (!in.ParseFromArray(file->bytes.data(), static_cast<int>(file->bytes.size())))
        return fail(Errc::malformed, "this is no provisioning file");
    Provisioning out;
    out.file = to_bytes(bytes);
    out.organisation = in.organisation();
    out.version = in.version();
    out.keys.org = org_id(in.organisation());
    bool whole = read_id(in.ea_key(), out.keys.ea) && read_id(in.directory_key(), out.keys.directory);
    for (const auto& key : in.administrator_keys())
        whole = whole && read_id(key, out.keys.administrators.emplace_back());
    const auto head = DirectoryHead::parse(as_bytes(in.directory_head()));
    if (!whole || !head || out.keys.administrators.empty() || in.brokers().empty() ||
        in.address_secret().size() != Key::size || !audience_of(in.gateway()))
        return fail(Errc::malformed, "the provisioning file is not whole");
    if (file->sealed_by(out.keys.administrators, out.keys.org) == 0)
        return fail(Errc::signature_invalid, "no administrator sealed this provisioning file");
    if (!verify_head(*head, out.keys.directory, out.keys.org))
        return fail(Errc::signature_invalid, "the provisioning file's directory head");
    out.brokers.assign(in.brokers().begin(), in.brokers().end());
    out.gateway = in.gateway();
    out.ca_pem = in.ca_pem();
    out.head = *head;
    out.address_secret = Key(as_bytes(in.address_secret()));
    out.policy = Policy::of(in.policy());
    return out;
}

}  // namespace nimes::agent::engine
