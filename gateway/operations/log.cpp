#include "operations/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <nlohmann/json.hpp>

#include "nimes/iso_time.hpp"

namespace nimes::gateway::operations {
namespace {

constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                 spdlog::level::err};

spdlog::logger make_logger(spdlog::sink_ptr sink) {
    spdlog::logger logger("nimes", std::move(sink));
    logger.set_pattern("%v");
    logger.flush_on(spdlog::level::debug);
    return logger;
}

}  // namespace

struct Log::Impl {
    Impl(const Clock& c, Level threshold, spdlog::sink_ptr sink) : clock(c), logger(make_logger(std::move(sink))) {
        logger.set_level(kLevels[static_cast<int>(threshold)]);
    }
    const Clock& clock;
    spdlog::logger logger;
    std::function<void()> on_error;
};

Log::Log(const Clock& clock, Level threshold)
    : impl_(std::make_unique<Impl>(clock, threshold, std::make_shared<spdlog::sinks::stderr_sink_mt>())) {}
Log::Log(const Clock& clock, Level threshold, std::ostream& out)
    : impl_(std::make_unique<Impl>(clock, threshold, std::make_shared<spdlog::sinks::ostream_sink_mt>(out))) {}
Log::~Log() = default;

void Log::set_threshold(Level threshold) { impl_->logger.set_level(kLevels[static_cast<int>(threshold)]); }
void Log::on_error(std::function<void()> count) { impl_->on_error = std::move(count); }

void Log::write(Level level, std::string_view event, Fields fields) {
    if (level == Level::error && impl_->on_error) impl_->on_error();
    const auto severity = kLevels[static_cast<int>(level)];
    if (!impl_->logger.should_log(severity)) return;
    nlohmann::ordered_json line{
        {"ts", iso_time(impl_->clock.now())}, {"level", kNames[static_cast<int>(level)]}, {"event", event}};
    for (const auto& field : fields)
        std::visit([&](const auto& value) { line[std::string(field.key)] = value; }, field.value);
    impl_->logger.log(severity, line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace nimes::gateway::operations
