import io.grpc.ChannelCredentials;
import io.grpc.ManagedChannelBuilder;
import io.grpc.ManagedChannelProvider;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import java.io.ByteArrayInputStream;
import javax.net.ssl.SSLException;

/** Debian's Netty offers TLS 1.2 unless it is told otherwise, and Campus speaks TLS 1.3 alone. */
public class Tls13 extends ManagedChannelProvider {
  @Override
  protected boolean isAvailable() {
    return true;
  }

  /** Before the provider of grpc-netty, which has 5. */
  @Override
  protected int priority() {
    return 9;
  }

  @Override
  protected ManagedChannelBuilder<?> builderForAddress(String name, int port) {
    return NettyChannelBuilder.forAddress(name, port);
  }

  @Override
  protected ManagedChannelBuilder<?> builderForTarget(String target) {
    return NettyChannelBuilder.forTarget(target);
  }

  @Override
  protected NewChannelBuilderResult newChannelBuilder(String target, ChannelCredentials credentials) {
    if (!(credentials instanceof TlsChannelCredentials)) {
      return NewChannelBuilderResult.error("only TLS");
    }
    var authority = new ByteArrayInputStream(((TlsChannelCredentials) credentials).getRootCertificates());
    try {
      var tls = GrpcSslContexts.forClient().protocols("TLSv1.3").trustManager(authority).build();
      return NewChannelBuilderResult.channelBuilder(NettyChannelBuilder.forTarget(target).sslContext(tls));
    } catch (SSLException refused) {
      return NewChannelBuilderResult.error(refused.toString());
    }
  }
}
